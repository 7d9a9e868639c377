// Package scripts tests the scripts that guard what the project is built of: both
// what they find and what they do where the network does not have it.
package scripts
