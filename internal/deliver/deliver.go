// Package deliver owns the ways out of Purser: today mail, by a real SMTP
// server. It hands one message to the next hop and says what became of it.
//
// It does not own what is said, to whom, or whether it may be said: the gate
// releases an address against an entry, and the caller writes the text. It
// keeps nothing and retries nothing; who needs a message sent once keeps its
// own record of it.
//
// Law carried here: L6 (an address is revealed on the wire alone; errors are
// sentinels with a server's status number, never an address, a text, or what
// the server said, which may quote both).
//
// Start reading at [Mail.Send].
package deliver

import (
	"errors"

	"purser"
)

// What became of a message that was not accepted. Every error of Send wraps
// exactly one.
var (
	// ErrRefused says that the next hop will never take this message.
	ErrRefused = errors.New("refused by the mail server")
	// ErrNotNow says that nothing was handed over, and that trying again later may work.
	ErrNotNow = errors.New("not taken by the mail server")
	// ErrInDoubt says that the message was on its way when the connection
	// failed: it may have been accepted. Count it as sent.
	ErrInDoubt = errors.New("in doubt")
	// ErrBadMessage says that the message cannot be sent as it is.
	ErrBadMessage = errors.New("message cannot be sent")
)

// Message is one text for one recipient.
type Message struct {
	To      purser.Plain
	Subject string
	Text    string
}
