package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

// A goTool runs the go command with a proxy that contains the packaged modules, and with an
// empty module cache, so that they do not enter the user's cache.
type goTool struct {
	tmp  string // temporary directory
	main string // path of the root module
	bin  string // where go install installs commands
	env  []string
}

// newGoTool returns a goTool. It finds other modules in the user's module cache, and then
// in the user's proxy. The checksum database is disabled: it does not contain the modules
// before their release, and it requires a network. The user's private modules must not
// bypass the proxy. GONOPROXY=none does not achieve that: go get then searches the module
// cache first, finds the root module there, and stops before it finds a nested module in the
// proxy.
func newGoTool(tmp, proxy, main string) (*goTool, error) {
	out, err := exec.Command("go", "env", "-json", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var user struct{ GOMODCACHE, GOPROXY string }
	if err := json.Unmarshal(out, &user); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	proxies := fileURL(proxy) + "," + fileURL(filepath.Join(user.GOMODCACHE, "cache", "download")) + "," + user.GOPROXY
	bin := filepath.Join(tmp, "bin")
	return &goTool{tmp, main, bin, append(os.Environ(),
		"GOENV=off", "GOPROXY="+proxies, "GOPRIVATE=", "GONOPROXY=", "GOSUMDB=off", "GOMODCACHE="+filepath.Join(tmp, "mod"),
		"GOBIN="+bin, "GOWORK=off", "GOFLAGS=-modcacherw -trimpath",
	)}, nil
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if path[0] != '/' {
		path = "/" + path // a drive letter
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// run runs a command and returns its output. If the command fails, the error contains the
// output.
func (g *goTool) run(dir, command string, args ...string) (string, error) {
	cmd := exec.Command(command, args...)
	cmd.Dir, cmd.Env = dir, g.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %q: %w\n%s", command, args, err, out)
	}
	return string(out), nil
}
