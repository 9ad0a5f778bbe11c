package main

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestVersionIsDiscovered(t *testing.T) {
	for out, want := range map[string]string{
		"linux-image-amd64\n  Depends: linux-image-6.1.0-57-amd64\n":                                       "6.1.0-57-amd64",
		"linux-image-amd64\n  Depends: linux-base-amd64\n |Depends: linux-image-7.3.4+deb13-amd64\n":       "7.3.4+deb13-amd64",
		"linux-image-amd64\n  Depends: linux-image-cloud-amd64\n  Suggests: linux-image-6.1.0-57-amd64x\n": "",
	} {
		if got := parseDepends([]byte(out), "linux-image-"); got != want {
			t.Errorf("%q: version %q, want %q", out, got, want)
		}
	}
}

func TestPackagesOfApt(t *testing.T) {
	simulation := parseSimulation([]byte("NOTE: this is a simulation\n" +
		"Inst libgcc-s1 (14.2.0-19 Debian:13.2/stable [amd64]) []\n" +
		"Inst qemu-system-data (1:10.0.13+ds-0+deb13u1 Debian:13.2/stable [all])\n" +
		"Inst libc6:arm64 (2.41-12 Debian:13.2/stable [arm64])\n" +
		"Conf libgcc-s1 (14.2.0-19 Debian:13.2/stable [amd64])\n"))
	want := []deb{
		{"libgcc-s1", "14.2.0-19", "amd64"}, {"qemu-system-data", "1:10.0.13+ds-0+deb13u1", "all"}, {"libc6", "2.41-12", "arm64"},
	}
	if !slices.Equal(simulation, want) {
		t.Errorf("simulation %v, want %v", simulation, want)
	}
	if got := want[1].file(); got != "qemu-system-data_1%3a10.0.13+ds-0+deb13u1_all.deb" {
		t.Errorf("file %q", got)
	}
	shown := parsePackages([]byte("Package: a\nVersion: 1\nArchitecture: all\nDescription: x\n y\n\nPackage: b\nVersion: 2\nArchitecture: amd64\n"))
	if want := []deb{{"a", "1", "all"}, {"b", "2", "amd64"}}; !slices.Equal(shown, want) {
		t.Errorf("shown %v, want %v", shown, want)
	}
}

func TestConfigurationIsPrivate(t *testing.T) {
	r := &repository{dir: "/cache/apt/newest", arch: "amd64"}
	newest := targets[slices.IndexFunc(targets, func(t target) bool { return t.name == "newest" })]
	config, list := r.config(newest), newest.sourcesList()
	for _, want := range []string{`"/cache/apt/newest/status"`, `"/cache/apt/newest/lists"`, `Default-Release "trixie-backports"`, `sourceparts "/dev/null"`} {
		if !strings.Contains(config, want) {
			t.Errorf("no %s in\n%s", want, config)
		}
	}
	if strings.Count(list, "\n") != 3 || !strings.Contains(list, "debian-security trixie-security main\n") {
		t.Errorf("sources:\n%s", list)
	}
}

func TestModulesAreLoadedInOrder(t *testing.T) {
	const dep = `kernel/net/openvswitch/openvswitch.ko: kernel/net/nf_nat.ko kernel/net/nf_conntrack.ko kernel/lib/libcrc32c.ko
kernel/net/nf_conntrack.ko: kernel/lib/libcrc32c.ko
kernel/net/batman-adv/batman-adv.ko.xz:
kernel/lib/libcrc32c.ko:
kernel/net/nf_nat.ko: kernel/net/nf_conntrack.ko kernel/lib/libcrc32c.ko
`
	got := loadOrder(dep, []string{"batman-adv", "nf_nat", "no_such", "openvswitch"})
	want := []string{
		"kernel/net/batman-adv/batman-adv.ko.xz", "kernel/lib/libcrc32c.ko", "kernel/net/nf_conntrack.ko", "kernel/net/nf_nat.ko",
		"kernel/net/openvswitch/openvswitch.ko",
	}
	if !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}

// The fields have the widths and the padding of the format newc.
func TestCPIO(t *testing.T) {
	var b bytes.Buffer
	c := &cpioWriter{w: &b}
	c.dir("dev")
	c.file("init", []byte("hello"))
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	const header = "070701"
	data := b.Bytes()
	at := bytes.Index(data, []byte("init\x00"))
	if at < 0 || at%4 != 110%4 || len(data)%4 != 0 || bytes.Count(data, []byte(header)) != 3 {
		t.Fatalf("%q", data)
	}
	entry := data[at-110:]
	if string(entry[:6]) != header || string(entry[54:62]) != "00000005" || string(entry[94:102]) != "00000005" {
		t.Errorf("header %q", entry[:110])
	}
	if body := entry[(110+len("init")+1+3)/4*4:]; string(body[:8]) != "hello\x00\x00\x00" || string(body[8:14]) != header {
		t.Errorf("data %q", body[:14])
	}
	cpio, err := exec.LookPath("cpio")
	if err != nil {
		return // an additional check
	}
	cmd := exec.Command(cpio, "-t", "--quiet")
	cmd.Stdin = &b
	if out, err := cmd.Output(); err != nil || string(out) != "dev\ninit\n" {
		t.Errorf("cpio: %q, %v", out, err)
	}
}

func TestArchivesAreUnpacked(t *testing.T) {
	var b bytes.Buffer
	w := tarWriter{tar.NewWriter(&b)}
	if err := w.json("a/plan.json", []step{{Name: "x", Args: []string{"y"}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.file("b", 0o755, []byte("z")); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	disk := append(b.Bytes(), make([]byte, 4096)...) // a disk is longer
	dir := t.TempDir()
	if err := untar(bytes.NewReader(disk), dir); err != nil {
		t.Fatal(err)
	}
	var steps []step
	if err := readJSON(filepath.Join(dir, "a/plan.json"), &steps); err != nil || len(steps) != 1 || steps[0].Name != "x" {
		t.Errorf("%v, %v", steps, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "b")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("%v, %v", info, err)
	}
	b.Reset()
	w = tarWriter{tar.NewWriter(&b)}
	if err := w.file("../x", 0o644, nil); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if err := untar(&b, dir); err == nil {
		t.Error("a file outside of the directory was unpacked")
	}
}

const testOutput = `=== RUN   TestKernelTwin
    twin_test.go:12: the kernel has 3 features
twin: requests=50022 families=3 unexplained=2
--- PASS: TestKernelTwin (0.27s)
=== RUN   TestTable
=== RUN   TestTable/one
    x_test.go:9: needs genl: a program | not here
=== RUN   TestTable/two
--- FAIL: TestTable (0.00s)
    --- SKIP: TestTable/one (0.00s)
    --- FAIL: TestTable/two (0.00s)
=== RUN   TestNext
module: family=DOC_EXMPL requests=20000 datagrams=21234 different=0
module: family=NLW_EXERCISE requests=20001 datagrams=22702 different=0
--- PASS: TestNext (0.00s)
FAIL
`

func TestOutputIsRead(t *testing.T) {
	r := &report{Target: "6.1", Kernel: "6.1.0-57-amd64", Families: 46, Counts: map[string]count{}}
	r.read(result{Name: "bus", Status: "exit status 1"}, []byte(testOutput))
	if want := "kernel=6.1.0-57-amd64 families=46 tests=5 failed=2 agreement=0/0 twin=50022/2 module=40001/0"; r.line() != want {
		t.Errorf("line %q, want %q", r.line(), want)
	}
	if want := []skip{{"bus TestTable/one", "needs genl"}}; !slices.Equal(r.Skipped, want) {
		t.Errorf("skipped %v, want %v", r.Skipped, want)
	}
	if !strings.Contains(r.problem(), "bus TestTable/two") {
		t.Errorf("problem %q", r.problem())
	}
}

// A program that ends without a failed test, such as by a panic, is a failure.
func TestFailuresWithoutATestCount(t *testing.T) {
	r := &report{Families: 1, Counts: map[string]count{}}
	r.read(result{Name: "conn", Status: "exit status 2"}, []byte("--- PASS: TestX (0.00s)\npanic: x\n"))
	if want := []string{"conn: exit status 2"}; !slices.Equal(r.Failed, want) {
		t.Errorf("failed %q, want %q", r.Failed, want)
	}
	for problem, r := range map[string]*report{
		"":            {Families: 1, Tests: 100},
		"no families": {Tests: 100},
		"skipped":     {Families: 1, Tests: 100, Skipped: make([]skip, 4)},
		"want 5":      {Families: 1, Tests: 100, Wanted: map[string]int{"twin": 5}},
		"differ":      {Families: 1, Tests: 100, Counts: map[string]count{"twin": {1000, 1}}},
	} {
		if got := r.problem(); !strings.Contains(got, problem) || problem == "" && got != "" {
			t.Errorf("problem %q, want %q", got, problem)
		}
	}
}

func TestTableIsUpdated(t *testing.T) {
	const document = "# Kernels\n\n" + resultsMark + "\n| target | x |\n|---|---|\n| 5.10 | old |\n| 6.1 | old |\n\ntext\n\n" +
		skippedMark + "\n| target | test | reason |\n|---|---|---|\n| 6.1 | bus TestOld | why |\n\nend\n"
	path := filepath.Join(t.TempDir(), "kernels.md")
	if err := os.WriteFile(path, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	err := writeTable(path, []*report{
		{Target: "6.12", Kernel: "6.12.1", Families: 51, Tests: 9, Skipped: []skip{{"bus TestA", "a | b"}}, GuestSeconds: 99.6},
		{Target: "6.1", Kernel: "6.1.2", Families: 46, Tests: 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	const want = "# Kernels\n\n" + resultsMark + "\n| target | x |\n|---|---|\n| 5.10 | old |\n" +
		"| 6.1 | 6.1.2 | 46 | 8 | 0 | 0 | 0/0 | 0/0 | 0/0 | 0 s |\n| 6.12 | 6.12.1 | 51 | 9 | 0 | 1 | 0/0 | 0/0 | 0/0 | 100 s |\n\ntext\n\n" +
		skippedMark + "\n| target | test | reason |\n|---|---|---|\n| 6.12 | bus TestA | a \\| b |\n\nend\n"
	if err != nil || string(got) != want {
		t.Errorf("wrote:\n%s\nwant:\n%s", got, want)
	}
	if _, err := replaceRows("no mark", resultsMark, nil, nil); err == nil {
		t.Error("a document without a table: no error")
	}
}

func TestNamesOfKernels(t *testing.T) {
	if _, err := runAll(context.Background(), []string{"2.4"}, options{}); err == nil || !strings.Contains(err.Error(), "5.10 6.1 6.12 newest") {
		t.Errorf("error %v", err)
	}
	if o := (options{only: "bus conn"}); !o.has("conn") || o.has("ctrl") || !(options{}).has("ctrl") {
		t.Error("selection of packages")
	}
}

// Modules are loaded before the tests of these, and not before others.
func TestPlan(t *testing.T) {
	m := &machine{}
	steps := m.plan([]testedPackage{{"m/bus/docexmpl", "bus/docexmpl"}, {"m/bus", "bus"}}, []string{"/x/doc_exmpl.ko"})
	var names []string
	for _, s := range steps {
		names = append(names, s.Name)
	}
	if want := []string{"nlctl-list", "bus", "docexmpl"}; !slices.Equal(names, want) {
		t.Fatalf("steps %q, want %q", names, want)
	}
	if want := []string{"modules/doc_exmpl.ko"}; !reflect.DeepEqual(steps[2].Modules, want) || steps[1].Modules != nil {
		t.Errorf("%+v", steps)
	}
}
