package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// MaxDepth bounds the nesting of folders in a bundle. A deeper one is a link
// that leads in a circle.
const MaxDepth = 8

// ReadDir lists a folder through symbolic links, sorted by name and without
// hidden names. Links that lead nowhere are in broken.
func ReadDir(folder string) (entries []fs.FileInfo, broken []error, err error) {
	all, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range all {
		if Hidden(e.Name()) {
			continue
		}
		info, err := os.Stat(filepath.Join(folder, e.Name()))
		if err != nil {
			broken = append(broken, err)
			continue
		}
		entries = append(entries, linked{info, e.Name()})
	}
	return entries, broken, nil
}

// linked describes what a link points to under the link's own name.
type linked struct {
	fs.FileInfo
	name string
}

func (l linked) Name() string { return l.name }

// Files lists the files of the bundle in a folder by their paths in it, sorted.
// Each has a name that CheckPath accepts.
func Files(dir string) ([]string, error) { return FilesWithin(dir, MaxDepth) }

// FilesWithin is Files for a folder that nests its folders depth deep.
func FilesWithin(dir string, depth int) ([]string, error) {
	if depth < 0 {
		return nil, fmt.Errorf("%s: folders are nested too deep, more than %d in a bundle; does a link lead in a circle?", dir, MaxDepth)
	}
	entries, broken, err := ReadDir(dir)
	if err := errors.Join(append(broken, err)...); err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if err := CheckPath(e.Name()); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		switch {
		case e.IsDir():
			below, err := FilesWithin(path, depth-1)
			if err != nil {
				return nil, err
			}
			for _, name := range below {
				all = append(all, e.Name()+"/"+name)
			}
		case !e.Mode().IsRegular():
			return nil, fmt.Errorf("%s: neither a file nor a folder", path) // opening a pipe would wait for ever
		default:
			all = append(all, e.Name())
		}
	}
	slices.Sort(all)
	return all, nil
}
