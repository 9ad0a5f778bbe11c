module github.com/nlwire/nlwire/ynl

go 1.25.0

require (
	github.com/nlwire/nlwire v0.1.0
	github.com/ulikunitz/xz v0.5.17
	go.yaml.in/yaml/v3 v3.0.4
)

require golang.org/x/sys v0.47.0 // indirect
