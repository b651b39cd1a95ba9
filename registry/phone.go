package registry

import (
	"regexp"
	"strings"
)

const wantPhone = "one telephone number: 11 digits of a mobile, a land line with its area code (021…) or 7 to 8 digits of its town, " +
	"400/800, a service number, or +COUNTRY…; an extension after -"

// telephone are the forms of numbers in China's numbering plan, and any country's in the form of E.164.
var telephone = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`(?:\+86)?1[3-9][0-9]{9}`,           // mobile
	`0[1-9][0-9]{8,10}`,                 // area code and line
	`\+86[1-9][0-9]{8,10}`,              // the same from abroad
	`[2-8][0-9]{6,7}`,                   // a line of the town
	`[48]00[0-9]{7}`,                    // companies
	`1[0-9]{2}|1[0-9]{4}`,               // 110, 12345
	`9[56][0-9]{3,4}`,                   // banks, utilities
	`\+(?:[1-79]|8[0-57-9])[0-9]{6,13}`, // other countries
}, "|") + `)(?:-[0-9]{1,6})?$`)

// extension is the end of a number inside a house: after a word, or after a dash behind a whole number.
var extension = regexp.MustCompile(`(?i)(?:(?:转|轉|分机|ext\.?|x|#)[ :：]*|([0-9]{7})-)([0-9]{1,6})$`)

// normalPhone gives a telephone number without the blanks, dashes and brackets of its writer: "(021) 5888-1234 转 8" is
// "02158881234-8". ok is false for what no telephone has: lost zeros, letters, exponents, two numbers in one.
func normalPhone(s string) (number string, ok bool) {
	s = strings.NewReplacer("—", "-", "–", "-", "‐", "-", "‑", "-").Replace(halfWidth(cleanCell(s)))
	if s = strings.TrimSpace(s); s == "" {
		return "", true
	}
	if m := extension.FindStringSubmatchIndex(s); m != nil {
		base := s[:m[0]]
		if m[2] >= 0 {
			base = s[:m[3]]
		}
		if number = joinDigits(base) + "-" + s[m[4]:m[5]]; telephone.MatchString(number) {
			return number, true
		}
	}
	number = joinDigits(s)
	return number, telephone.MatchString(number)
}

// joinDigits takes away what stands between the digits, the 00 of calls abroad, and the 0 that is not dialled behind +86.
func joinDigits(s string) string {
	s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(s)
	if rest, abroad := strings.CutPrefix(s, "0086"); abroad {
		s = "+86" + rest
	}
	return strings.Replace(s, "+860", "+86", 1)
}

// tidyPhone gives a number its form; what is no number stays, to be refused.
func tidyPhone(s string) string {
	if number, ok := normalPhone(s); ok {
		return number
	}
	return s
}
