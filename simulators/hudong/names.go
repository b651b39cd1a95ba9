package hudong

import (
	"fmt"
	"math/rand/v2"
)

// committeeNames are invented: wishes, not places. None is taken from the real list of committees.
var committeeNames = [Committees][2]string{
	{"洪安", "Hong'an"},
	{"春泽", "Chunze"},
	{"惠和", "Huihe"},
	{"瑞宁", "Ruining"},
	{"康颐", "Kangyi"},
	{"永善", "Yongshan"},
	{"福荫", "Fuyin"},
	{"顺和", "Shunhe"},
	{"清渠", "Qingqu"},
	{"明德", "Mingde"},
	{"秋实", "Qiushi"},
	{"锦棠", "Jintang"},
	{"兰溪", "Lanxi"},
	{"松鹤", "Songhe"},
	{"桂馨", "Guixin"},
	{"竹韵", "Zhuyun"},
	{"梅园", "Meiyuan"},
	{"荷风", "Hefeng"},
	{"晨曦", "Chenxi"},
	{"晚晴", "Wanqing"},
	{"同乐", "Tongle"},
	{"仁里", "Renli"},
	{"义邻", "Yilin"},
	{"礼坊", "Lifang"},
	{"智园", "Zhiyuan"},
	{"信达", "Xinda"},
	{"嘉禾", "Jiahe"},
	{"丰年", "Fengnian"},
	{"安澜", "Anlan"},
	{"望江", "Wangjiang"},
	{"听涛", "Tingtao"},
	{"云栖", "Yunqi"},
}

const (
	surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹"
	given    = "秀兰英珍桂芳玉华金凤美云宝根福生阿林德明志国荣祥爱琴月娥文龙永康"
)

func newName(rng *rand.Rand) string {
	family, first := []rune(surnames), []rune(given)
	return string([]rune{family[rng.IntN(len(family))], first[rng.IntN(len(first))], first[rng.IntN(len(first))]})
}

// newPerson invents a resident living at an address.
func newPerson(rng *rand.Rand, n int, address string) *Person {
	return &Person{
		ID:      fmt.Sprintf("p-%04d", n),
		Name:    newName(rng),
		Phone:   fmt.Sprintf("1540000%04d", n),
		Address: "沪东新村街道（虚构）" + address,
	}
}

// flat invents a building and a flat in one of the committee's two compounds.
func flat(rng *rand.Rand, a *Area) string {
	return fmt.Sprintf("%s%d号%d%02d室", a.compounds[rng.IntN(2)], 1+rng.IntN(60), 1+rng.IntN(6), 1+rng.IntN(4))
}
