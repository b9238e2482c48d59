package replay

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const (
	extension        = ".ndjson"
	archiveExtension = ".tar.zst"
)

// ErrNoRecordings is returned by Load for a directory that holds none.
var ErrNoRecordings = errors.New("no recordings")

// Load reads every recording under dir: folders named for a version with
// "<scenario>.<dialect>.ndjson" files, and "<version>.tar.zst" archives of such
// folders. The result is ordered by name.
func Load(dir string) ([]Recording, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	var all []Recording
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		var found []Recording
		switch {
		case entry.IsDir():
			found, err = loadFolder(name, entry.Name())
		case strings.HasSuffix(entry.Name(), archiveExtension):
			found, err = loadArchive(name, strings.TrimSuffix(entry.Name(), archiveExtension))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w in %s", ErrNoRecordings, dir)
	}
	slices.SortFunc(all, func(a, b Recording) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, nil
}

func loadFolder(folder, version string) ([]Recording, error) {
	names, err := fs.Glob(os.DirFS(folder), "*"+extension)
	if err != nil {
		return nil, err
	}
	var found []Recording
	for _, name := range names {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		rec, err := parse(version, name, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		found = append(found, rec)
	}
	return found, nil
}

func loadArchive(name, version string) (found []Recording, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	plain, err := zstd.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read recordings %s: %w", name, err)
	}
	defer plain.Close()
	files := tar.NewReader(plain)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read recordings %s: %w", name, err)
		}
		if path.Ext(header.Name) != extension {
			continue
		}
		rec, err := parse(version, path.Base(header.Name), files)
		if err != nil {
			return nil, err
		}
		found = append(found, rec)
	}
}
