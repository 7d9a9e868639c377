// Package transfer has what fetch and publish share: where bundles come from and
// go to, object stores, the safe way to write files into a folder, progress, and what
// of locations and errors may be printed.
//
// It knows neither the layout of a repository nor what a bundle is.
package transfer
