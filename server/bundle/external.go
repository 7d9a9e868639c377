package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// External is a file that an ONNX file refers to: it has the data of some tensors.
type External struct {
	Location string // relative to the folder of the ONNX file, as written there
	End      int64  // the length that the file must have
	Bytes    int64  // that the tensors take, as far as the ONNX file says
	Unsized  bool   // of a tensor it does not say how many
}

const (
	maxNesting  = 100      // of messages, the limit of every reader of ONNX files
	maxLocation = 4096     // bytes of a location, the limit of a path
	maxExternal = maxFiles // files that an ONNX file may refer to
)

// ReadExternal returns the files that an ONNX file of that many bytes refers to, in
// the order in which it does. It reads what describes the model and passes over the
// data in it. A file that is not ONNX, or is cut short, is an error beside what was
// found so far.
func ReadExternal(file io.ReaderAt, size int64) ([]External, error) {
	w := walk{cursor: cursor{file: file}, index: map[string]int{}}
	err := w.message(modelMessage, size, maxNesting)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return w.found, err
}

// kind is a type of ONNX's messages.
type kind int

const (
	otherMessage kind = iota
	modelMessage
	trainingMessage
	graphMessage
	functionMessage
	nodeMessage
	attributeMessage
	sparseMessage
	tensorMessage
)

// within has, for each message, the fields that may have tensors in them, under the
// numbers of onnx.proto.
var within = map[kind]map[protowire.Number]kind{
	modelMessage:     {7: graphMessage, 20: trainingMessage, 25: functionMessage},
	trainingMessage:  {1: graphMessage, 2: graphMessage},
	graphMessage:     {1: nodeMessage, 5: tensorMessage, 15: sparseMessage},
	functionMessage:  {7: nodeMessage, 11: attributeMessage},
	nodeMessage:      {5: attributeMessage},
	attributeMessage: {5: tensorMessage, 6: graphMessage, 10: tensorMessage, 11: graphMessage, 22: sparseMessage, 23: sparseMessage},
	sparseMessage:    {1: tensorMessage, 2: tensorMessage},
}

// Fields of a tensor, and of an entry of its external data.
const (
	tensorExternalData, tensorDataLocation = 13, 14
	dataLocationExternal                   = 1
	entryKey, entryValue                   = 1, 2
)

// walk reads the messages of an ONNX file one after another.
type walk struct {
	cursor
	found []External
	index map[string]int // of found, by location
}

// message reads a message that ends at end.
func (w *walk) message(k kind, end int64, nesting int) error {
	if nesting == 0 {
		return errors.New("its messages are nested too deep")
	}
	data := map[string]string{}
	external := false
	err := w.fields(end, func(number protowire.Number, value uint64, fieldEnd int64) error {
		switch {
		case k == tensorMessage && number == tensorExternalData && fieldEnd > 0:
			return w.entry(fieldEnd, data)
		case k == tensorMessage && number == tensorDataLocation:
			external = value == dataLocationExternal
		case within[k][number] != otherMessage && fieldEnd > 0:
			return w.message(within[k][number], fieldEnd, nesting-1)
		}
		return nil
	})
	if external {
		err = errors.Join(err, w.add(data))
	}
	return err
}

// entry reads one entry of a tensor's external data.
func (w *walk) entry(end int64, data map[string]string) error {
	var key, value string
	err := w.fields(end, func(number protowire.Number, _ uint64, fieldEnd int64) (err error) {
		switch {
		case fieldEnd == 0:
		case number == entryKey:
			key, err = w.text(fieldEnd)
		case number == entryValue:
			value, err = w.text(fieldEnd)
		}
		return err
	})
	if len(data) < 16 { // the format has five keys
		data[key] = value
	}
	return err
}

// add adds what one tensor refers to.
func (w *walk) add(data map[string]string) error {
	offset, _ := strconv.ParseInt(data["offset"], 10, 64)
	length, _ := strconv.ParseInt(data["length"], 10, 64)
	offset, length = min(max(offset, 0), maxBytes), min(max(length, 0), maxBytes)
	location := data["location"]
	at, known := w.index[location]
	if !known {
		if at = len(w.found); at == maxExternal {
			return fmt.Errorf("it refers to more than %d files", maxExternal)
		}
		w.index[location] = at
		w.found = append(w.found, External{Location: location})
	}
	e := &w.found[at]
	e.End = max(e.End, offset+length)
	e.Bytes = min(e.Bytes+length, maxBytes)
	e.Unsized = e.Unsized || data["length"] == ""
	return nil
}

// cursor reads a file from a place on.
type cursor struct {
	file   io.ReaderAt
	at     int64
	start  int64 // of the buffer in the file
	buffer []byte
}

// fields calls use with each field of a message that ends at end: with a number's
// value, or with the place where a field of bytes ends, behind which it goes on.
func (c *cursor) fields(end int64, use func(number protowire.Number, value uint64, fieldEnd int64) error) error {
	groups := 0
	for c.at < end {
		tag, err := binary.ReadUvarint(c)
		if err != nil {
			return err
		}
		number, wire := protowire.DecodeTag(tag)
		value, fieldEnd := uint64(0), int64(0)
		switch wire {
		case protowire.VarintType:
			value, err = binary.ReadUvarint(c)
		case protowire.Fixed32Type:
			c.at += 4
		case protowire.Fixed64Type:
			c.at += 8
		case protowire.StartGroupType:
			groups++
		case protowire.EndGroupType:
			groups--
		case protowire.BytesType:
			if value, err = binary.ReadUvarint(c); err == nil && value > uint64(max(0, end-c.at)) {
				err = io.ErrUnexpectedEOF
			}
			fieldEnd = c.at + int64(value)
		default:
			err = errors.New("it is not in the format of ONNX")
		}
		if err == nil && groups == 0 && (wire == protowire.VarintType || wire == protowire.BytesType) {
			err = use(number, value, fieldEnd)
		}
		if err != nil {
			return err
		}
		c.at = max(c.at, fieldEnd)
	}
	if c.at > end || groups != 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// text reads a text that ends at end.
func (c *cursor) text(end int64) (string, error) {
	if end-c.at > maxLocation {
		return "", fmt.Errorf("a location has more than %d bytes", maxLocation)
	}
	text := make([]byte, end-c.at)
	if _, err := io.ReadFull(io.NewSectionReader(c.file, c.at, end-c.at), text); err != nil {
		return "", err
	}
	c.at = end
	return string(text), nil
}

// ReadByte returns the next byte.
func (c *cursor) ReadByte() (byte, error) {
	if c.at < c.start || c.at >= c.start+int64(len(c.buffer)) {
		const window = 32 << 10
		if cap(c.buffer) == 0 {
			c.buffer = make([]byte, window)
		}
		n, err := c.file.ReadAt(c.buffer[:window], c.at)
		c.start, c.buffer = c.at, c.buffer[:n]
		if n == 0 {
			return 0, err
		}
	}
	b := c.buffer[c.at-c.start]
	c.at++
	return b, nil
}
