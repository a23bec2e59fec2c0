package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The faults that a script can give to a server of its own, by PURSER_FAULT.
const (
	faultVariable = "PURSER_FAULT"
	faultFull     = "full" // every write into the database finds the disk full
	faultSync     = "sync" // every sync fails
)

// faulty is purser whose kernel turns against it: SIGUSR1 brings the fault, and
// after SIGUSR2 whoever syncs is killed. It leaves the file fault-1 or fault-2
// when it is done.
func faulty() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range told {
			n, err := 1, error(nil)
			switch {
			case s == syscall.SIGUSR2:
				n, err = 2, filter(unix.SECCOMP_RET_KILL_PROCESS, unix.SYS_FSYNC, unix.SYS_FDATASYNC)
			case os.Getenv(faultVariable) == faultFull:
				err = filter(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSPC), unix.SYS_PWRITE64)
			default:
				err = filter(unix.SECCOMP_RET_ERRNO|uint32(unix.EIO), unix.SYS_FSYNC, unix.SYS_FDATASYNC)
			}
			if err == nil {
				err = os.WriteFile(fmt.Sprintf("fault-%d", n), nil, 0o600)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "faulty:", err)
				os.Exit(exitFault)
			}
		}
	}()
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// filter has the kernel answer these system calls of every thread from now on.
func filter(answer uint32, calls ...uint32) error {
	const number = 0 // offset in seccomp_data
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number}}
	for i, call := range calls {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(calls) - i), K: call})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: answer})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const everyThread = 1 // SECCOMP_FILTER_FLAG_TSYNC, which sets the above for all
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, everyThread, uintptr(unsafe.Pointer(&p)))
	if errno != 0 {
		return fmt.Errorf("filter system calls: %w", errno)
	}
	return nil
}
