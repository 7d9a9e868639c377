// Package crashmark finds out which model was running when the process died. A crash
// inside ONNX Runtime leaves no time to say so: the server therefore marks in a
// mapped file what runs, and its successor reads the marks. The kernel keeps what was
// written to the mapping when the process is gone.
//
//	<folder>/running       one entry for each loaded version, with its runs under way
//	<folder>/crashes.json  the deaths of the last hour, and the versions held back
//
// A version that ran at three deaths in an hour is held back until its content
// changes. Several may have run at a death, of which one is to blame: each death holds
// back one version at most.
package crashmark
