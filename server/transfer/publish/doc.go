// Package publish makes a bundle the next version of a model in a repository, a
// folder or an object store. It is the opposite of fetch.
//
// A version is there whole or not at all. In a folder it is written under a
// name that no reader looks at, and renamed. A store has no renaming; there
// MANIFEST.json comes first, which takes the number, as it is written only where
// there is none. Until the files that it names are there fetch leaves the version
// out, and a server on a mounted store refuses it.
//
// The same content is one version, however often it is published: a publisher
// that was killed is started again.
package publish
