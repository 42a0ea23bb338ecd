//! What an endpoint understands.

use crate::compact::lowercase;
use crate::model::Output;

/// How one JSON object is asked for, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonForm {
    /// `response_format` with a schema that the endpoint enforces.
    Schema,
    /// `response_format: json_object`, the schema being part of the instructions.
    Object,
    /// One function that has to be called.
    Function,
    /// Instructions only.
    Text,
}

/// How tool calls are asked for, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToolForm {
    /// `tool_choice: required`.
    Required,
    /// `tool_choice: auto`.
    Auto,
    /// Instructions only; the calls come as JSON in the text.
    Text,
}

/// How the length of a reply is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenLimit {
    /// The older field, which most servers know.
    MaxTokens,
    /// The newer field, which includes the tokens of reasoning.
    MaxCompletionTokens,
    /// Not at all.
    None,
}

impl TokenLimit {
    /// The field's name.
    pub(super) fn field(self) -> Option<&'static str> {
        match self {
            TokenLimit::MaxTokens => Some("max_tokens"),
            TokenLimit::MaxCompletionTokens => Some("max_completion_tokens"),
            TokenLimit::None => None,
        }
    }
}

/// The form in which an endpoint takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) json: JsonForm,
    /// Whether that form has brought JSON.
    pub(super) json_proven: bool,
    pub(super) tools: ToolForm,
    /// Whether that form has brought calls.
    pub(super) tools_proven: bool,
    /// Whether functions may say `strict`.
    pub(super) strict: bool,
    pub(super) tokens: TokenLimit,
    /// Whether the other field for the length has been refused.
    tokens_swapped: bool,
    pub(super) temperature: bool,
    /// Whether the model reasons and lets us say how much.
    pub(super) effort: bool,
    /// Whether instructions may stand in a turn of their own.
    pub(super) system: bool,
}

/// A new form to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Adapted {
    pub(super) dialect: Dialect,
    /// Whether the endpoint named what it does not understand; otherwise this is a guess.
    pub(super) named: bool,
}

impl Dialect {
    /// What the names of a service and a model let us expect, to save the first refusals.
    pub(super) fn expected(base_url: &str, model: &str) -> Self {
        let family = model
            .rsplit('/')
            .next()
            .unwrap_or(model)
            .to_ascii_lowercase();
        let reasons = ["o1", "o3", "o4", "gpt-5"]
            .iter()
            .any(|prefix| family.starts_with(prefix));
        let newer = reasons || base_url.contains("://api.openai.com");
        Dialect {
            json: JsonForm::Schema,
            json_proven: false,
            tools: ToolForm::Required,
            tools_proven: false,
            strict: true,
            tokens: if newer {
                TokenLimit::MaxCompletionTokens
            } else {
                TokenLimit::MaxTokens
            },
            tokens_swapped: false,
            temperature: !reasons,
            effort: reasons,
            system: true,
        }
    }

    /// The form to try after a refusal, or nothing when a refusal has another cause or all forms
    /// have been tried.
    ///
    /// A parameter that the endpoint's answer names is changed or left out. An HTTP 400 that names
    /// none is put down to the form of the output, as long as that has never worked.
    pub(super) fn adapted(self, status: u16, body: &str, output: &Output) -> Option<Adapted> {
        if !matches!(status, 400 | 404 | 405 | 415 | 422 | 501) {
            return None;
        }
        let body = lowercase(body);
        let names = |words: &[&str]| words.iter().any(|word| body.contains(word));
        let named = |dialect| {
            Some(Adapted {
                dialect,
                named: true,
            })
        };

        if self.tokens.field().is_some_and(|field| names(&[field])) {
            let tokens = match self.tokens {
                _ if self.tokens_swapped => TokenLimit::None,
                TokenLimit::MaxTokens => TokenLimit::MaxCompletionTokens,
                _ => TokenLimit::MaxTokens,
            };
            return named(Dialect {
                tokens,
                tokens_swapped: true,
                ..self
            });
        }
        if self.temperature && names(&["temperature"]) {
            return named(Dialect {
                temperature: false,
                ..self
            });
        }
        if self.effort && names(&["reasoning"]) {
            return named(Dialect {
                effort: false,
                ..self
            });
        }
        if self.system
            && names(&[
                "system role",
                "system message",
                "role: system",
                "role 'system'",
                "role \"system\"",
                "role `system`",
            ])
        {
            return named(Dialect {
                system: false,
                ..self
            });
        }

        let guess = status == 400;
        let unsupported = names(&[
            "unsupported",
            "not support",
            "unknown parameter",
            "unrecognized",
            "unknown field",
            "extra fields",
            "not implemented",
        ]);
        match output {
            Output::Text => None,
            Output::Json { .. } => {
                let dialect = self.with_next_json()?;
                if names(&[
                    "response_format",
                    "json_schema",
                    "json_object",
                    "json mode",
                    "schema",
                    "structured output",
                    "grammar",
                    "tool",
                    "function",
                ]) || unsupported
                {
                    named(dialect)
                } else {
                    (guess && !self.json_proven).then_some(Adapted {
                        dialect,
                        named: false,
                    })
                }
            }
            Output::Tools(_) => {
                if self.strict
                    && self.tools != ToolForm::Text
                    && names(&["strict", "additionalproperties"])
                {
                    return named(Dialect {
                        strict: false,
                        ..self
                    });
                }
                let dialect = self.with_next_tools()?;
                if self.tools == ToolForm::Required
                    && names(&["tool_choice", "tool choice", "required"])
                {
                    named(dialect)
                } else if names(&["tool", "function"]) || unsupported {
                    named(Dialect {
                        tools: ToolForm::Text,
                        tools_proven: false,
                        ..self
                    })
                } else {
                    (guess && !self.tools_proven).then_some(Adapted {
                        dialect,
                        named: false,
                    })
                }
            }
        }
    }

    fn with_next_json(self) -> Option<Self> {
        let json = match self.json {
            JsonForm::Schema => JsonForm::Object,
            JsonForm::Object => JsonForm::Function,
            JsonForm::Function => JsonForm::Text,
            JsonForm::Text => return None,
        };
        Some(Dialect {
            json,
            json_proven: false,
            ..self
        })
    }

    fn with_next_tools(self) -> Option<Self> {
        let tools = match self.tools {
            ToolForm::Required => ToolForm::Auto,
            ToolForm::Auto => ToolForm::Text,
            ToolForm::Text => return None,
        };
        Some(Dialect {
            tools,
            tools_proven: false,
            ..self
        })
    }

    /// What is known after a request in the form `used` was answered. `brought` tells whether the
    /// answer had the output that was asked for, or is `None` when that says nothing about the
    /// form (the model refused, or was cut off).
    ///
    /// An endpoint that accepts a form and ignores it is asked in the next one from then on,
    /// unless the form has worked before.
    pub(super) fn learned(self, used: Dialect, output: &Output, brought: Option<bool>) -> Self {
        let known = Dialect {
            json: self.json,
            json_proven: self.json_proven,
            tools: self.tools,
            tools_proven: self.tools_proven,
            strict: self.strict,
            ..used
        };
        match output {
            Output::Text => known,
            Output::Json { .. } => {
                let proven = used.json_proven || brought == Some(true);
                let known = Dialect {
                    json: used.json,
                    json_proven: proven,
                    ..known
                };
                if brought == Some(false) && !proven {
                    known.with_next_json().unwrap_or(known)
                } else {
                    known
                }
            }
            Output::Tools(_) => {
                let proven = used.tools_proven || brought == Some(true);
                let ignored = brought == Some(false) && !proven;
                let tools = if ignored { ToolForm::Text } else { used.tools };
                Dialect {
                    tools,
                    tools_proven: proven,
                    strict: used.strict,
                    ..known
                }
            }
        }
    }
}
