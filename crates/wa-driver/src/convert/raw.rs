//! A protobuf message as JSON in the spelling that receivers of WhatsApp webhooks know: camelCase
//! names, bytes as base64, only what is set. The generated types' own serialization writes every
//! unset field as `null` and bytes as lists of numbers, which makes a text message 6 KB long.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{self, Serialize, Serializer};
use serde_json::{Map, Number, Value};

/// The message as JSON; `null` if it cannot be written, which no message of WhatsApp's can cause.
pub(crate) fn to_json(message: &impl Serialize) -> Value {
    message.serialize(Writer).map_or(Value::Null, Written::into_value)
}

/// What a value was written as.
enum Written {
    /// Nothing: the field is not set.
    Absent,
    /// One byte, which in a list means that the list is a byte string.
    Byte(u8),
    /// The chosen case of a protobuf `oneof`: its own name counts, not the name of the choice.
    Case(&'static str, Value),
    Value(Value),
}

impl Written {
    fn into_value(self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Byte(byte) => byte.into(),
            Self::Case(name, value) => Value::Object(Map::from_iter([(lower_first(name), value)])),
            Self::Value(value) => value,
        }
    }

    /// Puts it into an object under the field's name.
    fn put(self, name: &str, object: &mut Map<String, Value>) {
        match self {
            Self::Absent => {}
            Self::Case(case, value) => drop(object.insert(lower_first(case), value)),
            other => drop(object.insert(camel_case(name), other.into_value())),
        }
    }
}

/// `file_enc_sha256` → `fileEncSha256`.
fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// `NativeFlow` → `nativeFlow`.
fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The one way this can fail: a type whose own serialization reports an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(String);

impl ser::Error for Failed {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

type Outcome = Result<Written, Failed>;

struct Writer;

fn value(value: impl Into<Value>) -> Written {
    Written::Value(value.into())
}

impl Serializer for Writer {
    type Ok = Written;
    type Error = Failed;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = ser::Impossible<Written, Failed>;
    type SerializeMap = Object;
    type SerializeStruct = Object;
    type SerializeStructVariant = ser::Impossible<Written, Failed>;

    fn serialize_bool(self, v: bool) -> Outcome {
        Ok(value(v))
    }
    fn serialize_i8(self, v: i8) -> Outcome {
        Ok(value(v))
    }
    fn serialize_i16(self, v: i16) -> Outcome {
        Ok(value(v))
    }
    fn serialize_i32(self, v: i32) -> Outcome {
        Ok(value(v))
    }
    fn serialize_i64(self, v: i64) -> Outcome {
        Ok(value(v))
    }
    fn serialize_u8(self, v: u8) -> Outcome {
        Ok(Written::Byte(v))
    }
    fn serialize_u16(self, v: u16) -> Outcome {
        Ok(value(v))
    }
    fn serialize_u32(self, v: u32) -> Outcome {
        Ok(value(v))
    }
    fn serialize_u64(self, v: u64) -> Outcome {
        Ok(value(v))
    }
    fn serialize_f32(self, v: f32) -> Outcome {
        self.serialize_f64(v.into())
    }
    fn serialize_f64(self, v: f64) -> Outcome {
        Ok(Number::from_f64(v).map_or(Written::Absent, |number| Written::Value(Value::Number(number))))
    }
    fn serialize_char(self, v: char) -> Outcome {
        Ok(value(v.to_string()))
    }
    fn serialize_str(self, v: &str) -> Outcome {
        Ok(value(v))
    }
    fn serialize_bytes(self, v: &[u8]) -> Outcome {
        Ok(value(STANDARD.encode(v)))
    }
    fn serialize_none(self) -> Outcome {
        Ok(Written::Absent)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Outcome {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Outcome {
        Ok(Written::Absent)
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Outcome {
        Ok(Written::Absent)
    }
    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Outcome {
        Ok(value(variant))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, v: &T) -> Outcome {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        v: &T,
    ) -> Outcome {
        Ok(Written::Case(variant, v.serialize(self)?.into_value()))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<List, Failed> {
        Ok(List {
            bytes: Vec::new(),
            values: Vec::new(),
            capacity: len.unwrap_or(0),
        })
    }
    fn serialize_tuple(self, len: usize) -> Result<List, Failed> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<List, Failed> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Failed> {
        Err(Failed(format!("{name} is no protobuf type")))
    }
    fn serialize_map(self, _len: Option<usize>) -> Result<Object, Failed> {
        Ok(Object::default())
    }
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Object, Failed> {
        Ok(Object::default())
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Failed> {
        Err(Failed(format!("{name} is no protobuf type")))
    }
}

/// A repeated field, or a byte string that presents itself as one.
struct List {
    bytes: Vec<u8>,
    values: Vec<Value>,
    capacity: usize,
}

impl List {
    fn push(&mut self, element: &(impl Serialize + ?Sized)) -> Result<(), Failed> {
        match element.serialize(Writer)? {
            Written::Byte(byte) => {
                self.bytes.reserve(self.capacity.saturating_sub(self.bytes.len()));
                self.bytes.push(byte);
            }
            other => self.values.push(other.into_value()),
        }
        Ok(())
    }

    fn finish(self) -> Written {
        if !self.bytes.is_empty() {
            value(STANDARD.encode(self.bytes))
        } else if self.values.is_empty() {
            Written::Absent
        } else {
            value(self.values)
        }
    }
}

impl ser::SerializeSeq for List {
    type Ok = Written;
    type Error = Failed;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), Failed> {
        self.push(v)
    }
    fn end(self) -> Outcome {
        Ok(self.finish())
    }
}

impl ser::SerializeTuple for List {
    type Ok = Written;
    type Error = Failed;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), Failed> {
        self.push(v)
    }
    fn end(self) -> Outcome {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleStruct for List {
    type Ok = Written;
    type Error = Failed;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), Failed> {
        self.push(v)
    }
    fn end(self) -> Outcome {
        Ok(self.finish())
    }
}

/// A message, or a map field.
#[derive(Default)]
struct Object {
    fields: Map<String, Value>,
    key: Option<String>,
}

impl ser::SerializeStruct for Object {
    type Ok = Written;
    type Error = Failed;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, v: &T) -> Result<(), Failed> {
        v.serialize(Writer)?.put(name, &mut self.fields);
        Ok(())
    }
    fn end(self) -> Outcome {
        Ok(value(self.fields))
    }
}

impl ser::SerializeMap for Object {
    type Ok = Written;
    type Error = Failed;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        self.key = Some(match key.serialize(Writer)?.into_value() {
            Value::String(text) => text,
            other => other.to_string(),
        });
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), Failed> {
        let key = self.key.take().unwrap_or_default();
        self.fields.insert(key, v.serialize(Writer)?.into_value());
        Ok(())
    }
    fn end(self) -> Outcome {
        Ok(value(self.fields))
    }
}

#[cfg(test)]
mod tests;
