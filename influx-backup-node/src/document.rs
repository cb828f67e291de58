//! [`Document`]: data of the core, of which the JavaScript side makes an object.

use std::{any::Any, fmt::Debug, sync::Arc};

use influx_backup_core::{self as core, Event, error::ErrorReport, options::Naming};
use napi::{Env, Error, Result, Status, Unknown, bindgen_prelude::Object};
use napi_derive::napi;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::raise;

/// Data of the core: a value that has a class of its own in JavaScript.
pub(crate) trait Data: Any + Debug + Send + Sync {
    /// The name of its class.
    fn class(&self) -> &'static str;

    /// Its fields.
    fn fields(&self) -> &'static [Field];

    /// The value of one of them.
    fn field<'env>(&self, env: &'env Env, name: &str) -> Result<Unknown<'env>>;

    /// The document as JSON, as the program writes it. `None` for what is no document.
    fn json(&self) -> core::Result<Option<String>>;

    /// The text for a person, where it has one.
    fn text(&self) -> Option<String> {
        None
    }
}

/// A field of a class, by its name in the core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Whether it is made at its first use.
    pub(crate) is_lazy: bool,
}

pub(crate) fn no_field(class: &str, name: &str) -> Error {
    Error::new(Status::InvalidArg, format!("{class} has no field `{name}`"))
}

/// Gives types of the core their classes: those of the tables of `influx_backup_bindings`.
///
/// The macro `read` of the same file reads their JSON.
macro_rules! document {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($it:ident: $core:ty $(, name = $class:literal)? $(, text = $text:expr)?) $fields:tt
    )+) => {
        $($crate::document::data! {
            $name($it: $core $(, name = $class)? $(, text = $text)?) $fields
            json($crate::document::to_json($it))
        })+

        /// The classes of this file.
        pub(crate) const CLASSES: &[&str] = &[$($crate::document::class!($name $($class)?)),+];

        /// Reads the JSON of a document of this file.
        pub(crate) fn read(class: &str, json: &str) -> Option<influx_backup_core::Result<$crate::document::Document>> {
            $(
                if class == $crate::document::class!($name $($class)?) {
                    return Some($crate::document::from_json::<$core>(json, stringify!($name)));
                }
            )+
            None
        }
    };
}
pub(crate) use document;

/// Gives one type of the core its class.
macro_rules! data {
    (
        $name:ident($it:ident: $core:ty $(, name = $class:literal)? $(, text = $text:expr)?) {
            $( $(#[doc = $doc:literal])+ $attribute:ident $($lazily:ident)? = $value:expr, )*
        }
        json($json:expr)
    ) => {
        impl $crate::document::Data for $core {
            fn class(&self) -> &'static str {
                $crate::document::class!($name $($class)?)
            }

            fn fields(&self) -> &'static [$crate::document::Field] {
                &[$($crate::document::field!($attribute $($lazily)?)),*]
            }

            #[allow(unused_variables, reason = "a table may be empty")]
            fn field<'env>(&self, env: &'env napi::Env, name: &str) -> napi::Result<napi::Unknown<'env>> {
                let $it = self;
                $(
                    if name == stringify!($attribute) {
                        return $crate::convert::ToNode::to_node(&$value, env);
                    }
                )*
                Err($crate::document::no_field(self.class(), name))
            }

            #[allow(unused_variables, reason = "not all data is a document")]
            fn json(&self) -> influx_backup_core::Result<Option<String>> {
                let $it = self;
                $json
            }

            $(
                fn text(&self) -> Option<String> {
                    let $it = self;
                    Some($text.to_string())
                }
            )?
        }

        impl $crate::convert::ToNode for $core {
            fn to_node<'env>(&self, env: &'env napi::Env) -> napi::Result<napi::Unknown<'env>> {
                Box::new(self.clone()).into_node(env)
            }

            fn into_node<'env>(self: Box<Self>, env: &'env napi::Env) -> napi::Result<napi::Unknown<'env>> {
                napi::bindgen_prelude::ToNapiValue::into_unknown($crate::document::Document::new(*self), env)
            }
        }
    };
}
pub(crate) use data;

/// The name of a class: that of the table, or the other one that it gives.
macro_rules! class {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $class:literal) => {
        $class
    };
}
pub(crate) use class;

/// One field of a table.
macro_rules! field {
    ($attribute:ident) => {
        $crate::document::Field { name: stringify!($attribute), is_lazy: false }
    };
    ($attribute:ident lazily) => {
        $crate::document::Field { name: stringify!($attribute), is_lazy: true }
    };
}
pub(crate) use field;

/// Data of the core. The JavaScript side makes an instance of the class that it names.
#[napi]
#[derive(Debug)]
pub struct Document(Arc<dyn Data>);

#[napi]
impl Document {
    /// The name of its class.
    #[napi(getter)]
    pub fn class(&self) -> &'static str {
        self.0.class()
    }

    /// Its fields, but for those that are made at their first use.
    #[napi]
    pub fn fields<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let mut fields = Object::new(env)?;
        for field in self.0.fields().iter().filter(|field| !field.is_lazy) {
            let name = Naming::CamelCase.write(field.name);
            let value = self.0.field(env, field.name).map_err(|error| self.name(&name, error))?;
            fields.set(name, value)?;
        }
        Ok(fields)
    }

    /// The names of the fields that are made at their first use.
    #[napi(getter)]
    pub fn lazy_fields(&self) -> Vec<String> {
        let lazy = self.0.fields().iter().filter(|field| field.is_lazy);
        lazy.map(|field| Naming::CamelCase.write(field.name)).collect()
    }

    /// One of the fields that are made at their first use.
    #[napi]
    pub fn lazy_field<'env>(&self, env: &'env Env, name: String) -> Result<Unknown<'env>> {
        let field = self.0.fields().iter().find(|field| Naming::CamelCase.write(field.name) == name);
        let field = field.ok_or_else(|| no_field(self.0.class(), &name))?;
        self.0.field(env, field.name).map_err(|error| self.name(&name, error))
    }

    /// The document as JSON, as the program writes it; `null` for what is no document.
    #[napi]
    pub fn json(&self, env: &Env) -> Result<Option<String>> {
        self.0.json().map_err(raise(env))
    }

    /// The text for a person; `null` where it has none.
    #[napi]
    pub fn text(&self) -> Option<String> {
        self.0.text()
    }
}

impl Document {
    /// An error that names its field.
    fn name(&self, field: &str, error: Error) -> Error {
        Error::new(error.status, format!("`{field}` of {}: {}", self.class(), error.reason))
    }

    /// The value of the core, where it is of this type.
    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        let value: &dyn Any = &*self.0;
        value.downcast_ref()
    }

    /// The value of the core, which has to be of this type.
    pub(crate) fn expect<T: 'static>(&self) -> Result<&T> {
        let wrong = || Error::new(Status::InvalidArg, format!("a {} is not what is expected here", self.class()));
        self.get().ok_or_else(wrong)
    }

    /// Data of the core for JavaScript. What names options does so in camelCase.
    pub(crate) fn new(data: impl Data) -> Self {
        let any: &dyn Any = &data;
        if let Some(report) = any.downcast_ref::<ErrorReport>() {
            return Self(Arc::new(report.clone().with_naming(Naming::CamelCase)));
        }
        if let Some(event) = any.downcast_ref::<Event>() {
            return Self(Arc::new(event.clone().with_naming(Naming::CamelCase)));
        }
        Self(Arc::new(data))
    }
}

/// Data of the core as JSON.
pub(crate) fn to_json(data: &impl Serialize) -> core::Result<Option<String>> {
    let json = serde_json::to_string(data);
    json.map(Some).map_err(|error| core::Error::invalid_document("document", error.to_string()))
}

/// Data of the core from JSON. `document` is what it is, for the error.
pub(crate) fn from_json<T: Data + DeserializeOwned>(json: &str, document: &'static str) -> core::Result<Document> {
    match serde_json::from_str::<T>(json) {
        Ok(data) => Ok(Document::new(data)),
        Err(error) => Err(core::Error::invalid_document(document, error.to_string())),
    }
}
