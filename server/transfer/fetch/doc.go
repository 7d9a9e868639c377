// Package fetch brings model bundles from where they are published into a
// repository folder: object stores, web servers, OCI registries and folders.
//
// What it brings appears whole or not at all. Everything is written below a
// .fetch folder inside the destination (which may be a mount point, so that
// nothing can be renamed from beside it), checked, and renamed into place one
// version at a time. What an interrupted run left there is gone on with by the
// next one; what was brought before is recorded there and not brought again.
//
// It knows how a repository is laid out and opens no model.
package fetch
