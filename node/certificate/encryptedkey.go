package certificate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
)

var (
	errNoPassphrase    = errors.New("the key is encrypted, and no passphrase is given")
	errWrongPassphrase = errors.New("the passphrase is wrong, or the key is damaged")
)

// decryptKey returns the private key in block without encryption. The two ways that OpenSSL writes are known: PKCS#8
// with PBES2 (ENCRYPTED PRIVATE KEY) and the older one with a DEK-Info line.
func decryptKey(block *pem.Block, passphrase string) (*pem.Block, error) {
	legacy := x509.IsEncryptedPEMBlock(block) //nolint:staticcheck // deprecated as weak, but such keys are in use
	if !legacy && block.Type != "ENCRYPTED PRIVATE KEY" {
		return block, nil
	}
	if passphrase == "" {
		return nil, errNoPassphrase
	}
	if legacy {
		der, err := x509.DecryptPEMBlock(block, []byte(passphrase)) //nolint:staticcheck // as above
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", errWrongPassphrase, err)
		}
		return &pem.Block{Type: block.Type, Bytes: der}, nil
	}
	der, err := decryptPKCS8(block.Bytes, passphrase)
	if err != nil {
		return nil, err
	}
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, nil
}

// The structures of RFC 5958 section 3 and RFC 8018 appendix A.
type (
	encryptedKeyInfo struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2Params struct{ KDF, Cipher pkix.AlgorithmIdentifier }

	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"

	// maxKDFIterations keeps a damaged file from holding up the start: OpenSSL writes 2048.
	maxKDFIterations = 10_000_000
)

// prfs are the hashes of PBKDF2 by object identifier; "" is the default.
var prfs = map[string]func() hash.Hash{
	"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New,
	"1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
}

// keyCipher is a block cipher in CBC mode.
type keyCipher struct {
	keyLength int
	new       func(key []byte) (cipher.Block, error)
}

var keyCiphers = map[string]keyCipher{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// decryptPKCS8 opens an encrypted PKCS#8 key. The standard library has all of it but the parameters, and the
// libraries that have those are either large or no longer looked after.
func decryptPKCS8(der []byte, passphrase string) ([]byte, error) {
	var info encryptedKeyInfo
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("parse encrypted key: %w", err)
	}
	if oid := info.Algorithm.Algorithm.String(); oid != oidPBES2 {
		return nil, fmt.Errorf("the key's encryption (%s) is not supported; PBES2 is", oid)
	}
	var params pbes2Params
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &params); err != nil {
		return nil, fmt.Errorf("parse encryption of key: %w", err)
	}
	mode, ok := keyCiphers[params.Cipher.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("the key's cipher (%s) is not supported; AES-CBC is", params.Cipher.Algorithm)
	}
	var iv []byte
	if _, err := asn1.Unmarshal(params.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, fmt.Errorf("parse cipher of key: %w", err)
	}
	key, err := deriveKey(params.KDF, passphrase, mode.keyLength)
	if err != nil {
		return nil, err
	}
	block, err := mode.new(key)
	if err != nil {
		return nil, fmt.Errorf("decrypt key: %w", err)
	}
	return decryptCBC(block, iv, info.Data)
}

// deriveKey turns the passphrase into a cipher's key.
func deriveKey(kdf pkix.AlgorithmIdentifier, passphrase string, length int) ([]byte, error) {
	if kdf.Algorithm.String() != oidPBKDF2 {
		return nil, fmt.Errorf("the key's derivation (%s) is not supported; PBKDF2 is", kdf.Algorithm)
	}
	var params pbkdf2Params
	if _, err := asn1.Unmarshal(kdf.Parameters.FullBytes, &params); err != nil {
		return nil, fmt.Errorf("parse derivation of key: %w", err)
	}
	prf, ok := prfs[params.PRF.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("the key's derivation hash (%s) is not supported", params.PRF.Algorithm)
	}
	if params.Iterations < 1 || params.Iterations > maxKDFIterations {
		return nil, fmt.Errorf("the key's derivation count %d is out of range", params.Iterations)
	}
	key, err := pbkdf2.Key(prf, passphrase, params.Salt, params.Iterations, length)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return key, nil
}

// decryptCBC decrypts data and takes the padding off. A wrong passphrase shows in the padding, or else in what the
// key's parser says.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errors.New("the encrypted key is damaged")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size {
		return nil, errWrongPassphrase
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, errWrongPassphrase
		}
	}
	plain = plain[:len(plain)-padding]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, fmt.Errorf("%w (%w)", errWrongPassphrase, err)
	}
	return plain, nil
}
