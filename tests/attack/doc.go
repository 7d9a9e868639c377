// Package attack sends the server what ends a server that trusts its clients, in a
// container's memory limit, with a good client beside it.
package attack
