//! Errors as data.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! error_tables {
    ($document:ident) => {
        $document! {
            /// An option that answers an error.
            Hint(it: $crate::core::error::Hint, text = it) {
                /// The option, by its name in `influx_backup.options`, such as `policy` or `passes.max_passes`.
                option = it.option,
                /// Its value; `None` where the caller has to choose it.
                value = it.value,
                /// What it does.
                text = it.text,
            }

            /// An error as data: everything that a caller needs to branch on it and to show it.
            ErrorReport(it: $crate::core::error::ErrorReport, text = it) {
                /// The stable code, one of `ERROR_CODES`.
                code = it.code,
                /// What kind of error it is.
                category = it.category,
                /// What happened, to what, and what to do.
                message = it.message,
                /// Options that answer it: each by itself, unless its text says otherwise.
                hints = it.hints,
                /// Whether the same call may succeed later without anything being changed.
                retryable = it.retryable,
                /// The object that it is about.
                key = it.key,
                /// The location that it is about.
                location = it.location,
                /// The messages of the errors behind it, the nearest first.
                causes = it.causes,
                /// The proof as far as it holds, where it does not hold.
                certificate = it.certificate,
                /// What the job that failed had found, and what the caller has to do.
                findings = it.findings,
                /// The other fields of the error by name, such as `clusters`, `nodes` or `owner`.
                context = it.context,
            }
        }
    };
}
