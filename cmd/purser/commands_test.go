package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/workforce"
)

// patience is how long a script waits for a process that was started beside it.
const patience = 2 * time.Minute

// scriptCommands are what scripts have beside those of testscript.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits": exits, "serving": serving, "await": await, "get": get, "take": take, "enrol": enrol, "flip": flip, "agree": agree, "decrypt": decrypt, "signal": raise,
	}
}

// prepare gives every script an address that nobody listens on.
func prepare(env *testscript.Env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Setenv("LISTEN", l.Addr().String())
	env.Values[browsers{}] = make(map[string]*synth.Browser)
	return l.Close()
}

func operands(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits CODE PROGRAM ARGS…: the program ends with that exit code. A message
// goes with every code but 0, and none is of an unforeseen kind.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [args...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code: got %d, want %s", code, args[0])
	}
	told := ts.ReadFile("stderr")
	if code != 0 && !strings.Contains("\n"+told, "\npurser: ") || strings.Contains(told, "panic") || strings.Contains(told, "met a fault") {
		ts.Fatalf("exit code %d with the message %q", code, told)
	}
}

// eventually looks again until done, or fails.
func eventually(ts *testscript.TestScript, what string, done func() bool) {
	end := time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-end:
			ts.Fatalf("%s: nothing after %v", what, patience)
		}
	}
}

// serving DIR: waits until a server answers for the directory.
func serving(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 1, "serving dir")
	socket := filepath.Join(ts.MkAbs(args[0]), server.DoorName)
	eventually(ts, "serving "+args[0], func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// await FILE: waits until the file is there.
func await(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 1, "await file")
	eventually(ts, "await "+args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// get URL: prints status and body, for the next stdout.
func get(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 1, "get url")
	resp, err := http.Get(args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, _ = fmt.Fprintf(ts.Stdout(), "%d %s\n", resp.StatusCode, body)
}

// take VARIABLE MEMBER: keeps a member of the JSON object on standard output.
func take(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 2, "take variable member")
	var all map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &all))
	text, ok := all[args[1]].(string)
	if !ok {
		ts.Fatalf("no %s in %v", args[1], all)
	}
	ts.Setenv(args[0], text)
}

// enrol ADDRESS TICKET [PERSON]: does with a virtual passkey what the page of
// the installation guide does, and keeps the passkey of the person for agree.
func enrol(ts *testscript.TestScript, neg bool, args []string) {
	person := ""
	if len(args) == 3 {
		person, args = args[2], args[:2]
	}
	operands(ts, neg, args, 2, "enrol address ticket [person]")
	browser, err := synth.NewBrowser(
		workforce.RP{ID: "localhost", Name: "Purser", Origins: []string{"http://localhost:8700"}}, server.NewSystemClock())
	ts.Check(err)
	post := func(path string, body any, out any) {
		text, err := json.Marshal(body)
		ts.Check(err)
		resp, err := http.Post("http://"+args[0]+path, "application/json", bytes.NewReader(text))
		ts.Check(err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		ts.Check(err)
		if resp.StatusCode != http.StatusOK {
			ts.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
		}
		ts.Check(json.Unmarshal(answer, out))
	}
	var begun workforce.Begun
	post("/v1/enrolments/begin", map[string]any{"ticket": args[1], "page_key": browser.PageKey()}, &begun)
	response, err := browser.Enrol(begun)
	ts.Check(err)
	post("/v1/enrolments/finish", map[string]any{"ceremony": begun.Ceremony, "response": json.RawMessage(response)}, new(any))
	if kept, ok := ts.Value(browsers{}).(map[string]*synth.Browser); ok && person != "" {
		kept[person] = browser
	}
}

// flip FILE N: flips the lowest bit of the file's byte N.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 2, "flip file byte")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	if n >= len(b) {
		ts.Fatalf("%s has %d bytes", args[0], len(b))
	}
	b[n] ^= 1
	ts.Check(os.WriteFile(name, b, 0o600))
}

// signal NAME: sends the signal to what runs in the background.
func raise(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, neg, args, 1, "signal name")
	number := unix.SignalNum("SIG" + args[0])
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(number))
	}
}
