// Package steptest runs a step through everything that can happen to it: that it
// is applied, undone and applied again; that requests are refused, lost or act
// late; that the process stops at any boundary and another one resumes or rolls
// back; and that somebody else changes the object before the undo. It judges by
// the server's state, read with a client of its own.
package steptest
