// Package cli is the command line: a file for each subcommand. A command reads
// its flags, calls the package that does the work and prints the result; it holds
// no logic that another command or the server needs.
package cli
