package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/ynl"
)

// policies is the JSON of a family's policies. Do, Dump and Nested are indexes of Policies;
// null means no policy.
type policies struct {
	Family   string     `json:"family"`
	Ops      []opPolicy `json:"ops"`
	Policies [][]rule   `json:"policies"`
}

type opPolicy struct {
	ID   uint32 `json:"id"`
	Name string `json:"name,omitempty"` // of a family with a spec
	Do   *int   `json:"do"`
	Dump *int   `json:"dump"`
}

// rule is an attribute as the kernel exports it. Lost names the part that the export may
// omit.
type rule struct {
	Type   int    `json:"type"`
	Name   string `json:"name,omitempty"` // of a family with a spec
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Nested *int   `json:"nested,omitempty"`
	Lost   string `json:"lost,omitempty"`
}

// newPolicies makes the JSON of p. spec may be nil.
func newPolicies(name string, p *ctrl.Policies, spec *ynl.Spec) policies {
	names := policyNames{}
	index := map[*policy.Policy]int{}
	tables := p.Tables()
	for i, table := range tables {
		index[table] = i
	}
	find := func(p *policy.Policy) *int {
		if i, ok := index[p]; ok {
			return &i
		}
		return nil
	}
	out := policies{name, []opPolicy{}, [][]rule{}}
	for _, op := range p.Ops {
		named := opPolicy{ID: op.Cmd, Do: find(op.Do), Dump: find(op.Dump)}
		if spec != nil {
			if known := spec.OpByRequest(int(op.Cmd)); known != nil {
				named.Name = known.Name
				names.add(op.Do, known.Set)
				names.add(op.Dump, known.Set)
			}
		}
		out.Ops = append(out.Ops, named)
	}
	for _, table := range tables {
		rules := []rule{}
		for typ := range table.Attrs {
			r := &table.Attrs[typ]
			if r.Kind == policy.KindUnspec {
				continue // not exported
			}
			rules = append(rules, rule{typ, names.of(table, typ), r.Kind.String(), r.String(), find(r.Nested), ctrl.LostOf(r).String()})
		}
		out.Policies = append(out.Policies, rules)
	}
	return out
}

// policyNames are the attribute sets of policies, which name their types.
type policyNames map[*policy.Policy]*ynl.Set

// add stores the set of a policy, and those of the policies in it. Policies may nest
// themselves.
func (n policyNames) add(p *policy.Policy, set *ynl.Set) {
	if p == nil || set == nil || n[p] != nil {
		return
	}
	n[p] = set
	for typ := range p.Attrs {
		if a := set.ByValue(uint16(typ)); a != nil {
			n.add(p.Attrs[typ].Nested, a.Nested)
		}
	}
}

// of returns the name of a type of a policy, "" if it has none.
func (n policyNames) of(p *policy.Policy, typ int) string {
	set := n[p]
	if set == nil {
		return ""
	}
	if a := set.ByValue(uint16(typ)); a != nil {
		return a.Name
	}
	return ""
}

func showPolicy(ctx context.Context, c *cli.Command) error {
	args, err := arguments(c, 1)
	if err != nil {
		return err
	}
	client, err := open(c)
	if err != nil {
		return err
	}
	defer client.close()
	return showPolicies(ctx, c, client, args[0])
}

// showPolicies prints the policies of a family. For a family without policies it prints 0
// operations. If the kernel does not export policies, the error is ctrl.ErrNotExported.
func showPolicies(ctx context.Context, c *cli.Command, client *client, name string) error {
	f, err := familyOf(ctx, client, name)
	if err != nil {
		return err
	}
	exported, err := client.Policies(ctx, &f)
	if err != nil {
		return err
	}
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	out := newPolicies(f.Name, exported, specs.family(f.Name))
	if c.Bool("json") {
		return printJSON(c.Root().Writer, out)
	}
	return printPolicies(c.Root().Writer, out)
}

// printPolicies prints the operations, then each policy once with its number: policies may
// nest each other and themselves.
func printPolicies(w io.Writer, p policies) error {
	fmt.Fprintf(w, "%s: %d operations with a policy\n", printable(p.Family), len(p.Ops))
	t := newTable(w)
	for _, op := range p.Ops {
		fmt.Fprintf(t, "  %d\t%s%s\n", op.ID, column(op.Name), strings.Join(opUses(op), "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i, rules := range p.Policies {
		fmt.Fprintf(w, "\npolicy %d\n", i)
		for _, r := range rules {
			text := r.Text
			if r.Nested != nil {
				text += fmt.Sprintf(", policy %d", *r.Nested)
			}
			if r.Lost != "" {
				text += "  (" + lostText[r.Lost] + ")"
			}
			fmt.Fprintf(t, "  %d\t%s%s\n", r.Type, column(r.Name), text)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// column returns a name as a column of a table, which families without names do not have.
func column(name string) string {
	if name == "" {
		return ""
	}
	return name + "\t"
}

func opUses(op opPolicy) (uses []string) {
	if op.Do != nil {
		uses = append(uses, fmt.Sprintf("do: policy %d", *op.Do))
	}
	if op.Dump != nil {
		uses = append(uses, fmt.Sprintf("dump: policy %d", *op.Dump))
	}
	return uses
}

// lostText describes the part of a rule that the export may omit.
var lostText = map[string]string{
	ctrl.LostLength.String(): "may have limits that are not exported",
	ctrl.LostKind.String():   "or msecs",
	ctrl.LostFunc.String():   "the check is not exported",
}
