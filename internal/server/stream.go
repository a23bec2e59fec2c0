package server

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"purser"
)

// Frames of a stream on the local socket: one byte, a length in four bytes, big
// endian, and the payload.
const (
	FrameData     byte = 'd' // bytes of the file
	FrameProgress byte = 'p' // {"done", "total"}
	FrameEnd      byte = 'e' // the statement; the file is whole
	FrameFailure  byte = 'f' // a StreamFailure; the file is not to be used

	// MaxFrame is the longest payload in bytes.
	MaxFrame = 1 << 20
)

// StreamFailure is why a stream ended before its end.
type StreamFailure struct {
	Refused   bool   `json:"refused"`
	Usage     bool   `json:"usage,omitempty"` // what was asked for cannot be
	Problem   string `json:"problem"`
	Reference string `json:"reference,omitempty"`
}

// Work is something an operator has done: it writes a file and returns a
// statement about it. Neither statement nor progress hold a value of a field.
type Work func(ctx context.Context, out io.Writer, progress func(done, total int64)) (statement any, err error)

// UsageError says that an operator asked for what cannot be.
type UsageError struct{ Problem string }

// Error returns the problem.
func (e *UsageError) Error() string { return e.Problem }

// streams serves work on the local socket. Whoever asked may go away: then it
// ends with the batch under way.
func streams[I any](d *Deployment, work func(I) Work) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var ask I
		in := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 64<<10))
		in.DisallowUnknownFields()
		if err := in.Decode(&ask); err != nil {
			http.Error(rw, `{"title":"The request is malformed"}`, http.StatusBadRequest)
			return
		}
		s := &stream{control: http.NewResponseController(rw), out: rw}
		_ = s.control.SetReadDeadline(time.Time{}) // it may take hours
		rw.Header().Set("Content-Type", "application/vnd.purser.stream")
		statement, err := work(ask)(r.Context(), s, s.progress)
		if err == nil {
			err = s.message(FrameEnd, statement)
		}
		if err != nil {
			_ = s.message(FrameFailure, d.failure(err))
		}
	})
}

// failure tells the operator on the host why; a fault is in the log as well.
func (d *Deployment) failure(err error) StreamFailure {
	if refusal, ok := errors.AsType[*purser.Refusal](err); ok {
		return StreamFailure{Refused: true, Problem: refusal.Reason.String(), Reference: d.Keys.Reference(refusal.At)}
	}
	if wrong, ok := errors.AsType[*UsageError](err); ok {
		return StreamFailure{Usage: true, Problem: wrong.Problem}
	}
	d.cfg.Logger.Error("work for the operator", "fault", err)
	return StreamFailure{Problem: "a fault; the server's log has it"}
}

// stream writes frames. It is used by one goroutine.
type stream struct {
	control *http.ResponseController
	out     io.Writer
}

// Write sends bytes of the file.
func (s *stream) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n := min(len(b)-done, MaxFrame)
		if err := s.frame(FrameData, b[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return len(b), nil
}

func (s *stream) frame(kind byte, payload []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(requestTime))
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	if _, err := s.out.Write(head); err != nil {
		return fmt.Errorf("answer the operator: %w", err)
	}
	if _, err := s.out.Write(payload); err != nil {
		return fmt.Errorf("answer the operator: %w", err)
	}
	if kind != FrameData {
		return s.control.Flush()
	}
	return nil
}

func (s *stream) message(kind byte, about any) error {
	text, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("write a statement: %w", err)
	}
	return s.frame(kind, text)
}

// progress tells how far it is; who does not listen any more is found out by
// the next write of data.
func (s *stream) progress(done, total int64) {
	_ = s.message(FrameProgress, map[string]int64{"done": done, "total": total})
}
