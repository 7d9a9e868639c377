// Package fetch brings model bundles from where they are published into the folder
// of a repository: from object stores, web servers, OCI registries and folders.
//
// A version appears as a whole or not at all. Everything is written below a folder
// .fetch inside the destination, checked, and renamed, one version at a time.
// A version that exists and differs is replaced as a whole. What an interrupted
// run has downloaded stays in .fetch/parts, and the next run resumes it.
//
// What a source sends is not believed: an archive must be whole to its end, and bytes,
// files, names and documents have bounds. A source that is too slow is given up. What
// a failed run leaves is only what the next one can resume. Errors and log lines show no
// password and no control character of a server.
//
// A version, or a file beside the versions, is not downloaded again if it is the
// same as the source's by what is known without a download: the SHA-256 in
// a manifest, in --sha256 or of a registry's blob, the MD5 of an object store, the
// content of a folder. An archive, a layer of an image, and a web server's file
// without --sha256 are downloaded each time, and replace nothing if they have the
// same files.
//
// It knows how a repository is laid out, by the rules of package bundle. Package
// source lists and opens the objects: no store, server or registry is known here. It
// opens no model and does not read the configuration of one.
package fetch
