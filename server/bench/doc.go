// Package bench is the load generator. It sends one request to a server of the Open Inference
// Protocol over and over, in a closed or an open loop, and reports how many responses came and
// how fast.
//
// It shares the machine with the server that it measures, so what can be prepared before a run
// is prepared: requests are encoded once, connections are kept, and counting takes no lock.
//
// It must not know more of a server than the public protocol: no model, no session, no
// package that serves. Package codec writes requests and reads responses, package golden compares them.
package bench
