// Package admission holds all requests under way to one budget of memory. What a
// request makes the server hold is charged to it before it is held, stage by
// stage, and given back when the last byte is gone. What does not fit is refused
// with the time after which trying again may work, or for good if it never could.
// It knows no protocol.
package admission
