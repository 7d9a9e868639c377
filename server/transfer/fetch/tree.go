package fetch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// tree is a folder that nobody reads yet, laid out as the source is.
type tree struct {
	root  *os.Root // nothing can be written outside of it
	path  string
	files map[string]file // by path
	from  map[string]int  // which object a file came from
	sums  []string        // of the objects, in the order they were added

	covered map[int]bool // objects of which a file lies under a later one's
}

func newTree(path string) (*tree, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, path: path, files: map[string]file{}, from: map[string]int{}, covered: map[int]bool{}}, nil
}

func (t *tree) close() error { return t.root.Close() }

// add takes a whole download.
func (t *tree) add(o object, f fetched) error {
	t.sums = append(t.sums, f.sum)
	if o.packing != plain {
		if err := t.unpack(f.path, o.packing); err != nil {
			return fmt.Errorf("unpack %s: %w", o.name, err)
		}
		return nil
	}
	if err := t.claim(o.name, false); err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	t.files[o.name] = file{Size: info.Size(), SHA256: f.sum}
	return os.Rename(f.path, t.at(o.name))
}

// link takes what an object left in the repository before.
func (t *tree) link(o object, e entry, root string) error {
	t.sums = append(t.sums, e.SHA256)
	for name, is := range e.Files {
		if err := t.claim(name, o.packing == imageLayer); err != nil {
			return err
		}
		if err := linkOrCopy(filepath.Join(root, e.Base, name), t.at(name)); err != nil {
			return err
		}
		t.files[name] = is
	}
	return nil
}

// claim makes room for a file of the object that was added last. Only an image
// layer may put a file over another's.
func (t *tree) claim(name string, over bool) error {
	if _, twice := t.files[name]; twice {
		if !over {
			return fmt.Errorf("%s is in the source twice; publish one", name)
		}
		t.covered[t.from[name]] = true
		if err := t.root.Remove(name); err != nil {
			return err
		}
	}
	t.from[name] = len(t.sums) - 1
	return t.root.MkdirAll(path.Dir(name), 0o755)
}

func (t *tree) at(name string) string { return filepath.Join(t.path, filepath.FromSlash(name)) }

// filesOf are the files that the object with this index has in the tree.
func (t *tree) filesOf(object int) map[string]file {
	files := map[string]file{}
	for name, from := range t.from {
		if from == object {
			files[name] = t.files[name]
		}
	}
	return files
}

// linkOrCopy copies where the file system has no hard links.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, in.Close(), out.Close())
}
