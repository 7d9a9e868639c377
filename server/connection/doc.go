// Package connection bounds what the connections of a port may cost: how many
// there are, and how long a client may take to read what it is sent. It knows no
// protocol.
package connection
