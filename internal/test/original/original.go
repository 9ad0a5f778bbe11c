// Package original checks that a program compares nlwire with the code of another library
// and not with an adapter of this project: compat/ has modules that declare the import paths
// of other libraries, and a replace directive or a workspace would put them in the place of
// the rival without a word.
package original

import (
	"fmt"
	"reflect"
	"regexp"
	"runtime"
)

// Check reports an error unless the function f is compiled from a version of a module, as
// the module cache has it: its file is that of MODULE@VERSION. A directory that replaces the
// module has no version in its name, and another module has another name.
func Check(module string, f any) error {
	file := fileOf(f)
	if !isOf(module, file) {
		return fmt.Errorf("%s is compiled from %s: it is replaced by a replace directive or a workspace", module, file)
	}
	return nil
}

// fileOf returns the source file of a function.
func fileOf(f any) string {
	pc := reflect.ValueOf(f).Pointer()
	file, _ := runtime.FuncForPC(pc).FileLine(pc)
	return file
}

// isOf reports whether a file belongs to a version of a module. Without -trimpath the name
// of the module cache is before it.
func isOf(module, file string) bool {
	return regexp.MustCompile(`(^|/)` + regexp.QuoteMeta(module) + `@v[^/]+/`).MatchString(file)
}
