"""A certificate that nobody vouches for."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def self_signed(folder: Path) -> Path:
    """One of 127.0.0.1, good today, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    encoding, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = folder / "localhost.pem"
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, no_password)
    pem.write_bytes(private + signed.public_bytes(encoding))
    return pem
