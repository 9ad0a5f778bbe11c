package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// completeInBash completes the last of its arguments with the script of nlctl completion bash.
// It replaces a function of the package bash-completion.
const completeInBash = `
_get_comp_words_by_ref() { cur="${COMP_WORDS[COMP_CWORD]}"; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
source <(nlctl completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
$(complete -p nlctl | sed 's/.*-F \([^ ]*\).*/\1/')
echo "${COMPREPLY[*]}"
`

func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: ", err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "nlctl")); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"nlctl mo":                                "monitor",
		"nlctl -bus example show DOC":             "DOC_EXMPL",
		"nlctl call rt-link newl":                 "newlink",
		"nlctl call rt-link newlink ifn":          "ifname=",
		"nlctl call ethtool rings-get header.dev": "header.dev-index= header.dev-name=",
		"nlctl monitor netf":                      "netfilter",
	} {
		c := exec.Command(bash, append([]string{"-c", completeInBash, "bash"}, strings.Fields(line)...)...)
		c.Env = append(os.Environ(), envMain+"=1", "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := c.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %v, %q, want %q", line, err, out, want)
		}
	}
}
