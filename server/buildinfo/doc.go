// Package buildinfo holds what the linker writes into the binary.
package buildinfo
