package restart

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name of a file in Laravel's cache; nothing depends on its strength
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"reverb/config"
)

// maxValue bounds what is read of a value; a real one has 22 bytes.
const maxValue = 4 << 10

// fileStore is the store "file": a file for each key, named by its hash. There is no prefix. (Laravel: FileStore::path)
type fileStore struct{ name string }

func openFile(c config.Cache) *fileStore {
	sum := sha1.Sum([]byte(signalKey)) //nolint:gosec // as above
	name := hex.EncodeToString(sum[:])
	return &fileStore{filepath.Join(c.Path, name[:2], name[2:4], name)}
}

// read takes a file that is not there for no signal, whichever of its folders is missing: the cache makes and deletes
// them.
func (s *fileStore) read(context.Context) (string, error) {
	f, err := os.Open(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	value, err := io.ReadAll(io.LimitReader(f, maxValue))
	return string(value), err
}

func (s *fileStore) close() {}

func (s *fileStore) names() []string { return []string{s.name} }
