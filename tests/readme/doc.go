// Package readme runs the commands of README.md, on the cluster, and compares
// what they print with what it says.
package readme
