// Package bundle defines what a model bundle is: one version of one model, a
// folder with these files.
//
//	model.onnx      the model, and the files it refers to
//	golden.ndjson   golden answers, optional
//	MANIFEST.json   the SHA-256 of each file, optional
//
// It holds the one set of rules for everybody who reads or writes a bundle:
// which names are files of a bundle, which names readers skip, what a version is
// called, and when a bundle agrees with its manifest. Folder opens its files: regular
// ones only, up to a limit, through links that stay inside. Of an ONNX file it reads which
// files it refers to. The package knows neither what a repository is nor where a bundle
// comes from, and it does not open a model.
package bundle
