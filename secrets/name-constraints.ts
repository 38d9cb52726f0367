import "reflect-metadata";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import { PemConverter } from "@peculiar/x509";

/**
 * Returns a CA certificate that is valid only for certificates with these host names. Its signature stays that of the
 * original: nothing verifies the signature of a CA that it trusts, and the CA's key may be elsewhere. Constraints that the CA has already
 * are kept, except those of host names.
 */
export function limitCa(pem: string, hosts: readonly string[]): string {
  const certificate = AsnConvert.parse(PemConverter.decode(pem)[0], Certificate);
  const { tbsCertificate } = certificate;
  const { extensions = new Extensions() } = tbsCertificate;
  // A second extension of one kind would make the certificate invalid.
  const isOld = ({ extnID }: Extension) => extnID === id_ce_nameConstraints;
  const old = extensions.find(isOld);
  const { permittedSubtrees = [], excludedSubtrees } = old
    ? AsnConvert.parse(old.extnValue.buffer, NameConstraints)
    : new NameConstraints();
  const constraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees([
      ...permittedSubtrees.filter(({ base }) => base.dNSName === undefined),
      ...hosts.map((dNSName) => new GeneralSubtree({ base: new GeneralName({ dNSName }) })),
    ]),
    excludedSubtrees,
  });
  tbsCertificate.extensions = new Extensions([
    ...extensions.filter((extension) => !isOld(extension)),
    new Extension({
      extnID: id_ce_nameConstraints,
      critical: true,
      extnValue: new OctetString(AsnConvert.serialize(constraints)),
    }),
  ]);
  // Otherwise the original is serialized.
  certificate.tbsCertificateRaw = undefined;
  return `${PemConverter.encode(AsnConvert.serialize(certificate), "CERTIFICATE")}\n`;
}
