// Package charts holds the charts to what no single template can promise: that
// their objects fit each other, the server and Pod Security "restricted". Each
// values file of a chart (ci, environments, tests/values) is one case.
package charts
