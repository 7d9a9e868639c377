package bundle

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

const (
	// MaxDepth bounds the nesting of folders in a bundle. A deeper one is a link
	// that leads in a circle.
	MaxDepth = 8
	// maxFiles bounds the files and folders of a bundle, each of which is looked at in
	// each scan.
	maxFiles = 10_000
)

// Files lists the files of the bundle in a folder by their paths in it, sorted.
// Each has a name that CheckPath accepts. Links may lead anywhere.
func Files(dir string) ([]string, error) { return FilesWithin(dir, MaxDepth) }

// FilesWithin is Files for a folder that nests its folders depth deep.
func FilesWithin(dir string, depth int) ([]string, error) {
	return anywhere(dir).files(".", depth)
}

// Files lists the files of the bundle in a folder of f as the function Files does.
func (f *Folder) Files(dir string) ([]string, error) { return f.files(dir, MaxDepth) }

func (f *Folder) files(dir string, depth int) ([]string, error) {
	l := listing{Folder: f}
	if err := l.below(dir, "", depth); err != nil {
		return nil, err
	}
	slices.Sort(l.files)
	return l.files, nil
}

// listing collects the files of a bundle.
type listing struct {
	*Folder
	files   []string
	entries int // seen; folders too, since links multiply them
}

// below adds the files of a folder, each with the prefix.
func (l *listing) below(dir, prefix string, depth int) error {
	if depth < 0 {
		return fmt.Errorf("%s: folders are nested too deep, more than %d in a bundle; does a link lead in a circle?", l.Path(dir), MaxDepth)
	}
	entries, broken, err := l.ReadDir(dir)
	if err != nil {
		return err
	}
	var problems []error
	for _, b := range broken {
		problems = append(problems, b.Err)
	}
	if len(problems) > 0 {
		return errors.Join(Few(problems)...)
	}
	if l.entries += len(entries); l.entries > maxFiles {
		return fmt.Errorf("%s: the bundle has more than %d files and folders", l.Path(dir), maxFiles)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if err := CheckPath(e.Name()); err != nil {
			return fmt.Errorf("%s: %w", l.Path(dir), err)
		}
		switch {
		case e.IsDir():
			if err := l.below(name, prefix+e.Name()+"/", depth-1); err != nil {
				return err
			}
		case !e.Mode().IsRegular():
			return fmt.Errorf("%s: is %s, neither a file nor a folder", l.Path(name), kindOf(e.Mode()))
		default:
			l.files = append(l.files, prefix+e.Name())
		}
	}
	return nil
}
