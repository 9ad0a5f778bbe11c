module github.com/nlwire/nlwire/cmd/nlctl

go 1.25.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/gopacket/gopacket v1.7.7
	github.com/nlwire/nlwire v0.1.0
	github.com/nlwire/nlwire/ynl v0.1.0
	github.com/urfave/cli/v3 v3.14.0
	golang.org/x/sys v0.47.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.55.0 // indirect
)
