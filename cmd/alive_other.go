//go:build !linux

package cmd

import (
	"log/slog"

	"github.com/backstep-dev/backstep/engine/lease"
)

// markAlive does nothing here: how a machine is told from its copies is known
// for Linux only.
func markAlive(*slog.Logger) (process string, release func()) { return "", func() {} }

// ended knows of nobody.
func ended(lease.Lock) bool { return false }

// clearMark has nothing to remove.
func clearMark(lease.Lock) {}
