use super::*;

fn config(variables: &[(&str, &str)]) -> Result<ModelConfig, ConfigError> {
    ModelConfig::from_env(|name| {
        variables
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn llm(variables: &[(&str, &str)]) -> (String, String, Option<String>) {
    match config(variables).unwrap().llm {
        LlmConfig::OpenAi { endpoint, model } => (
            endpoint.base_url().to_owned(),
            model,
            endpoint.api_key().map(|key| key.expose().to_owned()),
        ),
        other => panic!("{other:?}"),
    }
}

fn embedder(variables: &[(&str, &str)]) -> (String, String, Option<String>, Option<usize>) {
    match config(variables).unwrap().embedder {
        EmbedderConfig::OpenAi {
            endpoint,
            model,
            dimensions,
        } => (
            endpoint.base_url().to_owned(),
            model,
            endpoint.api_key().map(|key| key.expose().to_owned()),
            dimensions,
        ),
        other => panic!("{other:?}"),
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn nothing_set_needs_nothing() {
    let nothing = ModelConfig {
        llm: LlmConfig::None,
        embedder: EmbedderConfig::Builtin,
        reranker: None,
        files: Some(Origins::default()),
    };
    assert_eq!(config(&[]).unwrap(), nothing);
    let empty = [
        ("EDGEMEM_LLM_BASE_URL", ""),
        ("OPENAI_API_KEY", "  "),
        ("EDGEMEM_EMBEDDER_PROVIDER", ""),
        ("EDGEMEM_LLM_TIMEOUT_SECONDS", ""),
    ];
    assert_eq!(config(&empty).unwrap(), nothing);
    assert_eq!(config(&[("OPENAI_MODEL", "gpt-5")]).unwrap(), nothing);
    assert_eq!(
        config(&[("EDGEMEM_LLM_PROVIDER", "none"), ("OPENAI_API_KEY", "k")]).unwrap(),
        nothing
    );
}

#[test]
fn a_key_is_enough() {
    for variable in ["EDGEMEM_LLM_API_KEY", "OPENAI_API_KEY"] {
        assert_eq!(
            llm(&[(variable, "sk-1")]),
            (OPENAI_BASE_URL.into(), OPENAI_MODEL.into(), text("sk-1"))
        );
        assert_eq!(
            config(&[(variable, "sk-1")]).unwrap().embedder,
            EmbedderConfig::Builtin
        );
    }
}

#[test]
fn a_local_endpoint_needs_no_key() {
    let local = [
        ("EDGEMEM_LLM_BASE_URL", "http://localhost:11434/v1/"),
        ("EDGEMEM_LLM_MODEL", "qwen3"),
    ];
    assert_eq!(
        llm(&local),
        ("http://localhost:11434/v1".into(), "qwen3".into(), None)
    );
    let standard = [
        ("OPENAI_BASE_URL", "http://localhost:11434/v1"),
        ("OPENAI_MODEL", "qwen3"),
        ("OPENAI_API_KEY", "k"),
    ];
    assert_eq!(
        llm(&standard),
        (
            "http://localhost:11434/v1".into(),
            "qwen3".into(),
            text("k")
        )
    );
}

#[test]
fn a_key_goes_only_where_it_was_set_for() {
    let both = [
        ("EDGEMEM_LLM_BASE_URL", "http://localhost:1/v1"),
        ("EDGEMEM_LLM_MODEL", "m"),
        ("OPENAI_API_KEY", "sk-1"),
    ];
    assert_eq!(llm(&both).2, None);
    let same = [
        ("EDGEMEM_LLM_BASE_URL", "https://api.openai.com/v1/"),
        ("OPENAI_API_KEY", "sk-1"),
    ];
    assert_eq!(llm(&same).2, text("sk-1"));
    let other = [
        ("EDGEMEM_LLM_API_KEY", "k"),
        ("EDGEMEM_EMBEDDER_BASE_URL", "http://localhost:1/v1"),
        ("EDGEMEM_EMBEDDER_MODEL", "m"),
    ];
    assert_eq!(embedder(&other).2, None);
}

#[test]
fn the_embedder_shares_the_endpoint_of_the_llm() {
    let shared = [
        ("EDGEMEM_LLM_BASE_URL", "http://localhost:1/v1"),
        ("EDGEMEM_LLM_API_KEY", "k"),
        ("EDGEMEM_LLM_MODEL", "m"),
        ("EDGEMEM_EMBEDDER_MODEL", "e"),
        ("EDGEMEM_EMBEDDER_DIMENSIONS", "256"),
    ];
    assert_eq!(
        embedder(&shared),
        (
            "http://localhost:1/v1".into(),
            "e".into(),
            text("k"),
            Some(256)
        )
    );
    let openai = [
        ("OPENAI_API_KEY", "k"),
        ("EDGEMEM_EMBEDDER_PROVIDER", "openai"),
    ];
    assert_eq!(
        embedder(&openai),
        (
            OPENAI_BASE_URL.into(),
            OPENAI_EMBEDDING_MODEL.into(),
            text("k"),
            None
        )
    );
    let alone = [
        ("EDGEMEM_LLM_PROVIDER", "none"),
        ("OPENAI_API_KEY", "k"),
        ("EDGEMEM_EMBEDDER_PROVIDER", "openai"),
    ];
    assert_eq!(embedder(&alone).2, text("k"));
}

#[test]
fn workers_ai_needs_no_key() {
    let found = config(&[
        ("EDGEMEM_LLM_PROVIDER", "workers-ai"),
        ("EDGEMEM_EMBEDDER_PROVIDER", "Workers-AI"),
    ])
    .unwrap();
    assert_eq!(
        found.llm,
        LlmConfig::WorkersAi {
            model: WORKERS_AI_MODEL.into()
        }
    );
    assert_eq!(
        found.embedder,
        EmbedderConfig::WorkersAi {
            model: WORKERS_AI_EMBEDDING_MODEL.into()
        }
    );
}

#[test]
fn headers_and_time_out_are_taken() {
    let found = config(&[
        ("OPENAI_API_KEY", "k"),
        ("EDGEMEM_LLM_HEADERS", r#"{"x-a": "b"}"#),
        ("EDGEMEM_LLM_TIMEOUT_SECONDS", "5"),
    ])
    .unwrap();
    let LlmConfig::OpenAi { endpoint, .. } = found.llm else {
        panic!()
    };
    assert_eq!(endpoint.timeout_ms(), 5_000);
    let headers = Endpoint::new(OPENAI_BASE_URL)
        .unwrap()
        .with_api_key(Secret::new("k"))
        .unwrap()
        .with_header("x-a", "b")
        .unwrap();
    assert_eq!(endpoint, headers.with_timeout_ms(5_000));
}

#[test]
fn a_wrong_configuration_names_the_variable_and_the_cure() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[
                ("EDGEMEM_LLM_BASE_URL", "localhost:1"),
                ("EDGEMEM_LLM_MODEL", "m"),
            ],
            "EDGEMEM_LLM_BASE_URL cannot be used: it must be an http or https URL without user name and password, such as https://api.openai.com/v1",
        ),
        (
            &[("OPENAI_BASE_URL", "ftp://x/v1"), ("OPENAI_MODEL", "m")],
            "OPENAI_BASE_URL cannot be used: it must be an http or https URL without user name and password, such as https://api.openai.com/v1",
        ),
        (
            &[
                ("EDGEMEM_LLM_BASE_URL", "https://u:p@x/v1"),
                ("EDGEMEM_LLM_MODEL", "m"),
            ],
            "EDGEMEM_LLM_BASE_URL cannot be used: it must be an http or https URL without user name and password, such as https://api.openai.com/v1",
        ),
        (
            &[("EDGEMEM_LLM_MODEL", "m")],
            "EDGEMEM_LLM_API_KEY is not set; set it (for OpenAI), or EDGEMEM_LLM_BASE_URL (for any compatible endpoint)",
        ),
        (
            &[("EDGEMEM_LLM_PROVIDER", "openai")],
            "EDGEMEM_LLM_API_KEY is not set; set it (for OpenAI), or EDGEMEM_LLM_BASE_URL (for any compatible endpoint)",
        ),
        (
            &[("EDGEMEM_LLM_BASE_URL", OPENAI_BASE_URL)],
            "EDGEMEM_LLM_API_KEY is not set; api.openai.com asks for a key",
        ),
        (
            &[("EDGEMEM_LLM_BASE_URL", "http://localhost:1/v1")],
            "EDGEMEM_LLM_MODEL is not set; write the name of a model that EDGEMEM_LLM_BASE_URL (or OPENAI_BASE_URL) serves",
        ),
        (
            &[("EDGEMEM_LLM_PROVIDER", "claude")],
            "EDGEMEM_LLM_PROVIDER is \"claude\"; write openai, workers-ai or none",
        ),
        (
            &[("EDGEMEM_LLM_TIMEOUT_SECONDS", "1m")],
            "EDGEMEM_LLM_TIMEOUT_SECONDS is \"1m\"; write a whole number from 1 to 600",
        ),
        (
            &[("EDGEMEM_LLM_TIMEOUT_SECONDS", "0")],
            "EDGEMEM_LLM_TIMEOUT_SECONDS is \"0\"; write a whole number from 1 to 600",
        ),
        (
            &[("OPENAI_API_KEY", "k"), ("EDGEMEM_LLM_HEADERS", "[1]")],
            "EDGEMEM_LLM_HEADERS must be a JSON object of strings, such as {\"x-title\": \"edgemem\"}",
        ),
        (
            &[
                ("OPENAI_API_KEY", "k"),
                ("EDGEMEM_LLM_HEADERS", "{\"a\": 1}"),
            ],
            "EDGEMEM_LLM_HEADERS must be a JSON object of strings, such as {\"x-title\": \"edgemem\"}",
        ),
        (
            &[
                ("OPENAI_API_KEY", "k"),
                ("EDGEMEM_LLM_HEADERS", "{\"a b\": \"c\"}"),
            ],
            "EDGEMEM_LLM_HEADERS cannot be used: the header \"a b\" has a name or a value that HTTP does not allow",
        ),
        (
            &[("OPENAI_API_KEY", "se\ncret")],
            "OPENAI_API_KEY cannot be used: it must be one line of printable ASCII",
        ),
        (
            &[("EDGEMEM_EMBEDDER_PROVIDER", "mini")],
            "EDGEMEM_EMBEDDER_PROVIDER is \"mini\"; write builtin, openai or workers-ai",
        ),
        (
            &[("EDGEMEM_EMBEDDER_PROVIDER", "openai")],
            "EDGEMEM_EMBEDDER_API_KEY is not set; api.openai.com asks for a key",
        ),
        (
            &[("EDGEMEM_EMBEDDER_BASE_URL", "http://localhost:1/v1")],
            "EDGEMEM_EMBEDDER_MODEL is not set; write the name of an embedding model that the endpoint serves",
        ),
        (
            &[("EDGEMEM_EMBEDDER_DIMENSIONS", "256")],
            "EDGEMEM_EMBEDDER_DIMENSIONS has no effect here; only EDGEMEM_EMBEDDER_PROVIDER=openai can change the length of its vectors",
        ),
    ];
    for (variables, expected) in cases {
        assert_eq!(
            config(variables).unwrap_err().to_string(),
            *expected,
            "{variables:?}"
        );
    }
}

#[test]
fn keys_are_not_printed() {
    let found = config(&[
        ("OPENAI_API_KEY", "sk-secret"),
        ("EDGEMEM_LLM_HEADERS", r#"{"x-a": "hidden-value"}"#),
    ])
    .unwrap();
    let printed = format!("{found:?}");
    assert!(
        !printed.contains("secret") && !printed.contains("hidden"),
        "{printed}"
    );
}

#[test]
fn a_reranker_needs_an_address_and_a_name() {
    let set = [
        ("EDGEMEM_RERANK_BASE_URL", "https://api.cohere.com/v2"),
        ("EDGEMEM_RERANK_MODEL", "rerank-v3.5"),
        ("EDGEMEM_RERANK_API_KEY", "k"),
    ];
    let reranker = config(&set).unwrap().reranker.unwrap();
    assert_eq!(reranker.model, "rerank-v3.5");
    assert_eq!(reranker.endpoint.base_url(), "https://api.cohere.com/v2");
    for without in 0..2 {
        let mut set = set.to_vec();
        let (variable, _) = set.remove(without);
        assert_eq!(config(&set).unwrap_err().variable, variable);
    }
}

#[test]
fn files_are_fetched_from_public_addresses_and_origins_that_are_named() {
    let files = |list: &str| config(&[("EDGEMEM_FETCH_ORIGINS", list)]).map(|config| config.files);
    assert_eq!(files("None"), Ok(None));
    let named = files(" http://127.0.0.1:8080, HTTPS://Files.Internal/ ,")
        .unwrap()
        .unwrap();
    let expected = ["http://127.0.0.1:8080", "https://files.internal"];
    assert!(named.0.iter().eq(expected));
    for wrong in ["files.internal", "http://files.internal/x", "*", "ftp://x"] {
        let error = files(wrong).unwrap_err().to_string();
        assert!(error.starts_with("EDGEMEM_FETCH_ORIGINS is "), "{error}");
    }
}
