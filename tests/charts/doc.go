// Package charts tests what no single template shows: that the objects of a
// release fit each other, the server and Pod Security "restricted". Each values
// file of a chart (ci, environments, tests/values) is one case.
package charts
