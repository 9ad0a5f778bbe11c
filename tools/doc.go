// Package tools is empty. Its module pins the tools that check the project, and has the
// command release.
package tools
