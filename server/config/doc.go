// Package config is the server's configuration: one strict YAML document, its
// defaults, its validation, and the file of API keys that it names. An unknown or
// repeated key is an error that names the line. It does not know what the values
// are for, and imports no other package of the server.
package config
