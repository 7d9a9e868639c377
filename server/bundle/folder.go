package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxEntries bounds what one folder has, hidden names included: all of them are
// looked at in each scan.
const maxEntries = 10_000

// Folder reads what is below a folder on disk: regular files, up to a bound, after
// looking at what they are. A named pipe would keep its reader waiting for ever.
type Folder struct {
	path string
	root *os.Root // nil: links may lead anywhere
}

// Open returns the folder at path, which may itself be a link. Links in it may point
// only to what is in it: whoever may write there must not read other files with the
// server's permissions. A hard link can't be told from a file.
func Open(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Folder{path, root}, nil
}

// anywhere returns the folder at path with links that may lead anywhere: of a user
// who reads their own files.
func anywhere(path string) *Folder { return &Folder{path: path} }

// Close ends the use of the folder; files that were opened stay open.
func (f *Folder) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// Path returns the path of what the folder has under a name.
func (f *Folder) Path(name string) string { return filepath.Join(f.path, name) }

// Has reports whether the folder has an entry of that name, also a link that leads
// nowhere.
func (f *Folder) Has(name string) bool {
	_, err := at(f, name, (*os.Root).Lstat, os.Lstat)
	return !errors.Is(err, fs.ErrNotExist)
}

// Stat describes a file through links.
func (f *Folder) Stat(name string) (fs.FileInfo, error) { return at(f, name, (*os.Root).Stat, os.Stat) }

// Open opens a regular file.
func (f *Folder) Open(name string) (*os.File, error) {
	info, err := f.Stat(name) // before it is opened, which may do something to a device
	if err != nil {
		return nil, err
	}
	if err := f.regular(name, info); err != nil {
		return nil, err
	}
	file, err := f.open(name, os.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	if info, err = file.Stat(); err == nil {
		err = f.regular(name, info) // it may be another one by now
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReadFile reads a regular file of at most limit bytes.
func (f *Folder) ReadFile(name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s: has more than %d bytes, the limit of such a file", f.Path(name), limit)
	}
	return text, err
}

// Broken is an entry of a folder that can't be used, such as a link that leads
// nowhere.
type Broken struct {
	Name string
	Err  error
}

// ReadDir lists a folder through symbolic links, sorted by name and without
// hidden names.
func (f *Folder) ReadDir(name string) (entries []fs.FileInfo, broken []Broken, err error) {
	dir, err := f.open(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_DIRECTORY)
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	all, err := dir.ReadDir(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("list %s: %w", f.Path(name), err)
	}
	if len(all) > maxEntries {
		return nil, nil, fmt.Errorf("%s: has more than %d entries, the limit of a folder", f.Path(name), maxEntries)
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range all {
		if Hidden(e.Name()) {
			continue
		}
		info, err := f.Stat(filepath.Join(name, e.Name()))
		if err != nil {
			broken = append(broken, Broken{e.Name(), err})
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

func (f *Folder) open(name string, flags int) (*os.File, error) {
	within := func(r *os.Root, name string) (*os.File, error) { return r.OpenFile(name, flags, 0) }
	return at(f, name, within, func(path string) (*os.File, error) { return os.OpenFile(path, flags, 0) })
}

// Beside reports whether what a file refers to by a name lies in the file's folder, or
// in that of the file that the file is a link to.
func (f *Folder) Beside(file, name string) bool {
	target, err := filepath.EvalSymlinks(f.Path(name))
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(f.Path(file))
	if err != nil {
		return false
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(f.Path(file)))
	return err == nil && (inFolder(folder, target) || inFolder(filepath.Dir(real), target))
}

func inFolder(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}

// regular returns an error for what is no regular file.
func (f *Folder) regular(name string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s: is %s; expected a file", f.Path(name), kindOf(info.Mode()))
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// at calls one of the two functions, that of os.Root for a folder whose links are
// confined. os.Root follows relative links only; an absolute one is resolved here,
// and what it points to is again opened within the folder.
func at[T any](f *Folder, name string, within func(*os.Root, string) (T, error), plain func(path string) (T, error)) (T, error) {
	if f.root == nil {
		return plain(f.Path(name))
	}
	got, err := within(f.root, name)
	if escapes(err) {
		if name, err = f.resolve(name); err == nil {
			got, err = within(f.root, name)
		}
	}
	if wrong := (*fs.PathError)(nil); errors.As(err, &wrong) {
		return got, &fs.PathError{Op: strings.TrimSuffix(wrong.Op, "at"), Path: f.Path(name), Err: wrong.Err}
	}
	return got, err
}

// escapes reports whether os.Root refused a path: any other error is the system's.
func escapes(err error) bool { return err != nil && !errors.As(err, new(syscall.Errno)) }

// resolve returns the name without links of what a name with absolute links means.
// The error does not say where a link points.
func (f *Folder) resolve(name string) (string, error) {
	top, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return "", err
	}
	target, err := filepath.EvalSymlinks(f.Path(name))
	if err == nil {
		if inside, err := filepath.Rel(top, target); err == nil && filepath.IsLocal(inside) {
			return inside, nil
		}
	}
	return "", fmt.Errorf("%s: a link leads out of %s or nowhere; copy or mount what it points to into that folder", f.Path(name), f.path)
}

// Few returns the first of some errors, and one that says how many follow: a folder
// may have thousands of entries that are wrong.
func Few(all []error) []error {
	const few = 10
	if len(all) > few {
		all = append(all[:few:few], fmt.Errorf("and %d more", len(all)-few))
	}
	return all
}
