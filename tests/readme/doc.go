// Package readme runs the commands of README.md on the cluster, and compares
// their output with the output that README.md shows.
package readme
