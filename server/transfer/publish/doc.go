// Package publish makes a bundle the next version of a model in a repository: a
// folder or an object store. It is the opposite of fetch.
//
// Readers see a version complete or not at all. In a folder it is written under a
// hidden name and renamed. A store can't rename: MANIFEST.json is written first,
// and only if there is none, which reserves the number. Until the files that it
// names exist, fetch leaves the version out and a server on a mounted store
// refuses it.
//
// The same content is one version, however often it is published, so that a
// publisher that was killed can be started again. Signatures of the manifest are
// published with the bundle and do not count as content.
//
// It opens no model and reads no repository but for the versions of one model.
package publish
