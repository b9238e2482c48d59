package cmd

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/engine/lease"
)

// markAlive makes a file that this process holds locked for as long as it lives,
// so that the next process on this machine need not wait for a lock whose holder
// was killed. It gives what the lock says about it, "" where it cannot be done.
func markAlive(logger *slog.Logger) (process string, release func()) {
	boot := bootID()
	id, err := uuid.NewRandom()
	if err != nil || boot == "" {
		return "", func() {}
	}
	path := markPath(id.String())
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
		}
	}
	if err != nil {
		logger.Debug("others on this machine cannot see that this process lives", "error", err)
		return "", func() {}
	}
	return boot + "/" + id.String(), func() {
		_ = os.Remove(path)
		f.Close()
	}
}

// ended tells that the process that made a lock has ended for certain: on this
// very machine, since it was started, and its file is there and no longer locked.
// A file that is not there tells nothing.
func ended(lock lease.Lock) bool {
	boot, id, found := strings.Cut(lock.Holder.Process, "/")
	if !found || boot == "" || boot != bootID() || !markID().MatchString(id) {
		return false
	}
	f, err := os.OpenFile(markPath(id), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false
	}
	return true // and the file stays: until the lock is superseded it may have to tell again
}

// clearMark removes what a process that has ended left behind.
func clearMark(lock lease.Lock) {
	if _, id, _ := strings.Cut(lock.Holder.Process, "/"); markID().MatchString(id) {
		_ = os.Remove(markPath(id))
	}
}

func markID() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f-]{36}$`) }

func markPath(id string) string { return filepath.Join(os.TempDir(), "backstep-"+id+".alive") }

// bootID tells this start of this machine from every other.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
