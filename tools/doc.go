// Package tools is empty. Its module pins the versions of the tools that check the project,
// and contains the command release.
package tools
