// Package bench is the load generator: it asks one question of an Open Inference
// Protocol server over and over, in a closed or an open loop, and tells how often
// and how fast it was answered. It shares the machine with the server it measures,
// so what can be made ready before a run is: bodies are encoded once, connections
// are kept, and counting takes no lock. It knows only the public wire.
package bench
