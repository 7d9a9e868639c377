// Package source lists the objects that a location has and opens one at an offset:
// the files of a folder, the objects of a bucket, a file of a web server, the layers
// of an image in a registry.
//
// A Source makes each request once: whoever uses it retries, by what Status and
// Permanent show of an error. An object that is replaced between List and Open is
// an error where the source can notice it.
//
// It knows neither how a repository is laid out nor where the objects go, unpacks
// nothing and writes nothing.
package source
