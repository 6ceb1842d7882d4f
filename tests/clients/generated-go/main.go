// Accounts of both dialects get a second factor and sign in with it, by the clients that openapi-generator makes.
//
// usage: journey URL API_KEY OUTBOX
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"countersign.example/clients/generated/betterauth"
	"countersign.example/clients/generated/fusionauth"
)

const password = "correct horse battery staple"

func main() {
	url, key, outbox := os.Args[1], os.Args[2], os.Args[3]
	betterAuth(url+"/api/auth", outbox)
	fusionAuth(url, key, outbox)
	fmt.Println("done")
}

// require ends the program unless the claim holds.
func require(claim bool, format string, values ...interface{}) {
	if !claim {
		fmt.Fprintf(os.Stderr, format+"\n", values...)
		os.Exit(1)
	}
}

// succeeds ends the program unless the call was answered with this status.
func succeeds(what string, response *http.Response, err error, status int) {
	require(err == nil, "%s: %v", what, err)
	require(response.StatusCode == status, "%s: %d instead of %d", what, response.StatusCode, status)
}

// refused ends the program unless the call was refused with this status.
func refused(what string, response *http.Response, err error, status int) {
	require(err != nil, "%s: not refused", what)
	require(response != nil && response.StatusCode == status, "%s: %v instead of %d", what, err, status)
}

// mailedCode is the code in the newest message to an address.
func mailedCode(outbox, address string) string {
	file, err := os.Open(outbox)
	require(err == nil, "%v", err)
	defer file.Close()
	code := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var message struct{ To, Code string }
		err := json.Unmarshal(lines.Bytes(), &message)
		require(err == nil, "%v", err)
		if message.To == address {
			code = message.Code
		}
	}
	require(code != "", "nothing was mailed to %s", address)
	return code
}

func betterAuth(url, outbox string) {
	const email = "ada@example.com"
	configuration := betterauth.NewConfiguration()
	configuration.Servers = betterauth.ServerConfigurations{{URL: url}}
	client := betterauth.NewAPIClient(configuration)
	with := func(token string) context.Context {
		return context.WithValue(context.Background(), betterauth.ContextAccessToken, token)
	}

	signUp := betterauth.NewSignUpWithEmailAndPasswordRequest("Ada", email, password)
	signedUp, response, err := client.DefaultAPI.SignUpWithEmailAndPassword(context.Background()).SignUpWithEmailAndPasswordRequest(*signUp).Execute()
	succeeds("sign up", response, err, 200)
	require(signedUp.User.Email == email, "not the user: %v", signedUp.User)

	session := with(signedUp.GetToken())
	enable := betterauth.NewTwoFactorEnablePostRequest(password)
	enabled, response, err := client.TwoFactorAPI.TwoFactorEnablePost(session).TwoFactorEnablePostRequest(*enable).Execute()
	succeeds("enable", response, err, 200)
	// Without a body the client sends null, which is not what the operation takes.
	nothing := *betterauth.NewTwoFactorSendOtpPostRequest()
	_, response, err = client.TwoFactorAPI.TwoFactorSendOtpPost(session).TwoFactorSendOtpPostRequest(nothing).Execute()
	succeeds("send", response, err, 200)
	confirm := betterauth.NewTwoFactorVerifyOtpPostRequest(mailedCode(outbox, email))
	confirmed, response, err := client.TwoFactorAPI.TwoFactorVerifyOtpPost(session).TwoFactorVerifyOtpPostRequest(*confirm).Execute()
	succeeds("confirm", response, err, 200)
	require(confirmed.User.TwoFactorEnabled, "the second factor is off: %v", confirmed.User)

	signIn := betterauth.NewSignInEmailRequest(email, password)
	challenge, response, err := client.DefaultAPI.SignInEmail(context.Background()).SignInEmailRequest(*signIn).Execute()
	succeeds("password", response, err, 200)
	require(challenge.GetTwoFactorRedirect(), "no challenge")
	_, response, err = client.DefaultAPI.ListUserSessions(with(challenge.GetTwoFactorToken())).Execute()
	refused("sessions in a challenge", response, err, 401)
	backup := betterauth.NewTwoFactorVerifyBackupCodePostRequest(enabled.BackupCodes[0])
	signedIn, response, err := client.TwoFactorAPI.TwoFactorVerifyBackupCodePost(with(challenge.GetTwoFactorToken())).TwoFactorVerifyBackupCodePostRequest(*backup).Execute()
	succeeds("backup code", response, err, 200)

	shown, response, err := client.DefaultAPI.GetSession(with(signedIn.GetToken())).Execute()
	succeeds("session", response, err, 200)
	require(shown.User.Id == signedUp.User.Id, "not the user: %v", shown.User)
	nobody, response, err := client.DefaultAPI.GetSession(context.Background()).Execute()
	succeeds("no session", response, err, 200)
	require(nobody == nil || nobody.User.Id == "", "somebody is signed in: %v", nobody)
}

func fusionAuth(url, key, outbox string) {
	email := "grace@example.com"
	configuration := fusionauth.NewConfiguration()
	configuration.Servers = fusionauth.ServerConfigurations{{URL: url}}
	client := fusionauth.NewAPIClient(configuration)
	service := context.WithValue(context.Background(), fusionauth.ContextAPIKeys, map[string]fusionauth.APIKey{"apiKey": {Key: key}})
	text := fusionauth.PtrString
	nullable := func(value string) fusionauth.NullableString { return *fusionauth.NewNullableString(text(value)) }

	fields := fusionauth.UserFields{Email: nullable(email), Password: nullable(password)}
	created, response, err := client.UsersAPI.CreateUser(service).UserRequest(fusionauth.UserRequest{User: *fusionauth.NewNullableUserFields(&fields)}).Execute()
	succeeds("create", response, err, 200)
	id := created.User.Id

	send := fusionauth.TwoFactorSendRequest{UserId: nullable(id), Method: nullable("email"), Email: nullable(email)}
	response, err = client.TwoFactorAPI.SendTwoFactorCodeForEnableDisable(service).TwoFactorSendRequest(send).Execute()
	succeeds("send", response, err, 200)
	enable := fusionauth.TwoFactorRequest{Method: nullable("email"), Email: nullable(email), Code: nullable(mailedCode(outbox, email))}
	enabled, response, err := client.MethodsAPI.EnableTwoFactor(service, id).TwoFactorRequest(enable).Execute()
	succeeds("enable", response, err, 200)
	require(len(enabled.RecoveryCodes) == 10, "%d recovery codes", len(enabled.RecoveryCodes))

	login := fusionauth.LoginRequest{LoginId: nullable(email), Password: nullable(password)}
	challenge, response, err := client.LoginAPI.Login(service).LoginRequest(login).Execute()
	succeeds("password", response, err, 242)
	method := challenge.Methods[0]
	require(method.GetMethod() == fusionauth.TWOFACTORMETHODNAME_EMAIL, "another method: %v", method)
	choose := fusionauth.TwoFactorSendRequest{MethodId: nullable(method.GetId())}
	response, err = client.TwoFactorAPI.SendTwoFactorCodeForLoginUsingMethod(context.Background(), challenge.GetTwoFactorId()).TwoFactorSendRequest(choose).Execute()
	succeeds("send in the challenge", response, err, 200)
	complete := fusionauth.TwoFactorLoginRequest{TwoFactorId: nullable(challenge.GetTwoFactorId()), Code: nullable("no code")}
	_, response, err = client.TwoFactorAPI.TwoFactorLogin(context.Background()).TwoFactorLoginRequest(complete).Execute()
	refused("a wrong code", response, err, 421)
	complete.Code = nullable(mailedCode(outbox, email))
	done, response, err := client.TwoFactorAPI.TwoFactorLogin(context.Background()).TwoFactorLoginRequest(complete).Execute()
	succeeds("code", response, err, 200)
	require(done.User.Id == id, "not the user: %v", done.User)
}
