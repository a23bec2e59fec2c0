package synth

import "purser"

// imports brings customers in: a batch, rows about those who are there, the end.
func (e *Entries) imports() []act {
	file := purser.Hash{byte(e.draw(250))}
	return []act{
		told(&purser.Merged{File: file, Changed: uint32(e.draw(9)), Same: uint32(e.draw(9)), Merged: uint32(e.draw(9))}),
		told(&purser.ImportClosed{File: file, Read: 20, New: 10, Same: 10}),
	}
}
