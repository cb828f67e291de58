//! TLS before a server, with a certificate of an unknown CA.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

use super::loopback::Loopback;

/// Takes TLS connections and passes what they carry on to a server without TLS.
#[derive(Debug)]
pub(crate) struct Tls {
    server: Loopback,
    directory: TempDir,
}

impl Tls {
    pub(crate) fn before(upstream: SocketAddr) -> Self {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::new([]).expect("a CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let directory = tempfile::tempdir().expect("a directory");
        let pem = ca.self_signed(&ca_key).expect("a certificate").pem();
        std::fs::write(directory.path().join("ca.pem"), pem).expect("the CA's certificate");

        let key = KeyPair::generate().expect("a key");
        let mut server = CertificateParams::new([upstream.ip().to_string()]).expect("a name");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = server.signed_by(&key, &Issuer::new(ca, ca_key)).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate with its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self { server: Loopback::run(move |listener| serve(listener, acceptor, upstream)), directory }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The file with the CA's certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, upstream: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        // A connection that breaks is the client's to notice.
        tokio::spawn(async move {
            let mut client = acceptor.accept(client).await?;
            let mut server = TcpStream::connect(upstream).await?;
            copy_bidirectional(&mut client, &mut server).await
        });
    }
}
