package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"purser"
	"purser/internal/server"
)

// operated is work that the operator has done: on a running server through its
// local socket, else on the stopped deployment in the directory.
type operated struct {
	dataFlag
	path    string // on the socket
	ask     any
	offline func(*server.Deployment) server.Work
	scratch bool
	show    func(done, total int64)
}

// run writes the file to out and reads the statement about it into said.
func (o operated) run(ctx context.Context, s streams, out io.Writer, said any) (err error) {
	conn, dialled := new(net.Dialer).DialContext(ctx, "unix", o.socket())
	if dialled == nil {
		return o.streamed(ctx, conn, out, said)
	}
	d, _, err := o.open(ctx, s, quiet(s), allowIf(o.scratch))
	if errors.Is(err, server.ErrLabelled) {
		return fmt.Errorf("%w, or say --scratch", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	statement, err := o.offline(d)(ctx, out, o.show)
	if wrong := new(server.UsageError); errors.As(err, &wrong) {
		return usage(err)
	}
	if refusal := new(purser.Refusal); errors.As(err, &refusal) {
		return coded{exitRefused, fmt.Errorf("refused; reason: %v; reference %s", refusal.Reason, d.Gate.Reference(refusal.At))}
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(statement)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, said)
}

// streamed reads the frames of a running server.
func (o operated) streamed(ctx context.Context, conn net.Conn, out io.Writer, said any) error {
	text, err := json.Marshal(o.ask)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	client := http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true,
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://local"+o.path, bytes.NewReader(text))
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("the server did not answer: %w", errUnanswered)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		return localProblem(resp.StatusCode, answer)
	}
	for {
		kind, payload, err := frame(resp.Body)
		if err != nil {
			return fmt.Errorf("the server's answer was cut short: %w", errUnanswered)
		}
		done, err := o.take(kind, payload, out, said)
		if done || err != nil {
			return err
		}
	}
}

// frame reads one.
func frame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > server.MaxFrame {
		return 0, nil, errors.New("a frame is too long")
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(r, payload)
	return head[0], payload, err
}

func (o operated) take(kind byte, payload []byte, out io.Writer, said any) (done bool, err error) {
	switch kind {
	case server.FrameData:
		_, err = out.Write(payload)
		return false, err
	case server.FrameProgress:
		var far struct{ Done, Total int64 }
		if err := json.Unmarshal(payload, &far); err != nil {
			return false, err
		}
		o.show(far.Done, far.Total)
		return false, nil
	case server.FrameEnd:
		return true, json.Unmarshal(payload, said)
	case server.FrameFailure:
		var f server.StreamFailure
		if err := json.Unmarshal(payload, &f); err != nil {
			return true, err
		}
		return true, failed(f)
	}
	return true, errors.New("the server speaks of what this program does not know; use the same version of both")
}

// failed turns what a server said into the same error that the work itself
// would have given here.
func failed(f server.StreamFailure) error {
	switch {
	case f.Refused:
		return coded{exitRefused, fmt.Errorf("refused; reason: %s; reference %s", f.Problem, f.Reference)}
	case f.Usage:
		return usage(errors.New(f.Problem))
	}
	return errors.New(f.Problem)
}

// whole has write make the file at path, readable to its owner alone: it is
// there when it is whole, and not before. What is there already stays.
func whole(path string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return usage(fmt.Errorf("%s is there already; name another file", path))
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return usage(fmt.Errorf("make the file: %w", err))
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, path)
}

// beside writes a statement in JSON next to a file.
func beside(path string, said any) error {
	text, err := json.MarshalIndent(said, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path+".json", append(text, '\n'), 0o600)
}
